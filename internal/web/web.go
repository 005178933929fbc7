// Package web is the HubClient web server: it serves the chat page, and with Options.Proxy passes the page's WebSocket
// on to the hub.
//
// Its main type is [Handler], which is immutable and starts no goroutine; those of a proxied WebSocket belong to the
// HTTP server and end with the connection. It takes no part in the exchange of messages: the page connects to a hub
// itself, and learns the hubs' addresses from an element that the server writes into it.
//
// What is served as it is stands in assets: plain JavaScript modules, a stylesheet and a picture, with no build step.
package web

import (
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/address"
	"github.com/soumya-codes/realtime-hub/internal/origin"
	"github.com/soumya-codes/realtime-hub/internal/problem"
)

// Options say what to serve.
type Options struct {
	// Hubs are the base URLs of the hubs as the browser reaches them, by http, https, ws or wss. The first is home, the
	// others are for when home is down. A loopback host in them stands for the host name under which a page is opened.
	// At least one.
	Hubs []string

	// Proxy passes /ws on to the hub, for set-ups where the browser reaches this server alone. There is one hub then,
	// and its URL is the one that this server reaches.
	Proxy bool

	// Origins decides which pages may use the proxied WebSocket, by this server's own Host. Its zero value lets in
	// those of the same host name.
	Origins origin.Policy

	// Version is shown in the page's help.
	Version string

	// Log gets the proxy's failures; nil means nowhere.
	Log *slog.Logger
}

// Handler answers the requests of browsers. It is immutable; all methods may be called by several goroutines at once.
type Handler struct {
	mux     *http.ServeMux
	hubs    []hubURL
	page    string
	version string
	origins origin.Policy
	proxied bool
	log     *slog.Logger
}

// New returns a handler for o, or an error that says which hub URL is malformed and how to write it.
func New(o Options) (*Handler, error) {
	h := &Handler{version: o.Version, origins: o.Origins, proxied: o.Proxy, log: o.Log}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	for _, s := range o.Hubs {
		u, err := address.ParseHub(s)
		if err != nil {
			return nil, fmt.Errorf("read the address of a hub: %w", err)
		}
		h.hubs = append(h.hubs, hubURL{u})
	}
	switch {
	case len(h.hubs) == 0:
		return nil, errors.New("no hub to connect to → name one: --hub http://127.0.0.1:8081")
	case o.Proxy && len(h.hubs) > 1:
		return nil, fmt.Errorf("--proxy passes on to one hub, and %d were named → name one --hub, or leave out --proxy",
			len(h.hubs))
	}
	files, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("load the pages: %w", err)
	}
	h.page = files.page
	h.mux = http.NewServeMux()
	h.mux.HandleFunc("/{$}", h.servePage)
	for name, a := range files.static {
		h.mux.Handle("/assets/"+name, a)
	}
	h.mux.HandleFunc("/livez", serveState(`{"status":"alive"}`))
	h.mux.HandleFunc("/readyz", serveState(`{"status":"ready"}`))
	h.mux.HandleFunc("/", serveNotFound)
	if o.Proxy {
		proxy, err := h.newProxy(h.hubs[0])
		if err != nil {
			return nil, err
		}
		h.mux.Handle("/ws", proxy)
	}
	return h, nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		(&problem.Problem{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Detail: "this server only serves pages: it answers GET and HEAD",
			Fix:    "publish at the hub: POST /v1/rooms/{room}/messages",
		}).Write(w)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// servePage answers with the chat page. It differs by the host name under which it was opened, so it is made for each
// request; its policy differs with it.
func (h *Handler) servePage(w http.ResponseWriter, r *http.Request) {
	opened, _ := address.ParseHostPort(r.Host) // the zero value where it is malformed: the hubs then stay as configured
	// Two attributes and a text: html/template would do the same, and make the linker keep every method of every type
	// (it calls methods by name), which doubles the binary.
	page := strings.NewReplacer("{{.Hubs}}", html.EscapeString(h.socketURLs(opened)),
		"{{.Version}}", html.EscapeString(h.version)).Replace(h.page)
	header := w.Header()
	header.Set("Content-Security-Policy", h.contentSecurityPolicy(opened))
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", permissionsPolicy)
	newAsset("chat.html", []byte(page)).ServeHTTP(w, r)
}

// socketURLs returns what the page opens its WebSocket at, home first, separated by spaces. With the proxy that is a
// path at the page's own address, which the page alone knows: TLS may end in front of this server.
func (h *Handler) socketURLs(opened address.HostPort) string {
	if h.proxied {
		return "/ws"
	}
	urls := make([]string, len(h.hubs))
	for i, u := range h.hubs {
		urls[i] = u.seenFrom(opened).Socket()
	}
	return strings.Join(urls, " ")
}

func serveState(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, body+"\n") // the client is gone; nobody is left to tell
	}
}

func serveNotFound(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "There is nothing here. The chat is at /", http.StatusNotFound)
}
