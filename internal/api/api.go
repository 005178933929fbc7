// Package api is the HTTP API of a HubServer: publishing to a room, and health.
//
// Its main type is [Handler]. Refusals are problem documents (RFC 9457) with a code and a fix. It starts no goroutine.
// It does not decide which origins are let in: package origin does, before, so an Origin that arrives here is allowed,
// and is answered with the headers of CORS.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Handler answers the requests of the API. All methods may be called by several goroutines at once.
type Handler struct {
	// immutable
	hub *hub.Hub
	log *slog.Logger
	mux *http.ServeMux

	draining atomic.Bool
}

// New returns the handler for h.
func New(h *hub.Hub, log *slog.Logger) *Handler {
	a := &Handler{hub: h, log: log, mux: http.NewServeMux()}
	a.mux.HandleFunc("POST /v1/rooms/{room}/messages", a.publish)
	a.mux.HandleFunc("GET /v1/rooms/{room}/messages", a.history)
	a.mux.HandleFunc("/v1/rooms/{room}/messages", methods("GET, POST"))
	a.mux.HandleFunc("GET /livez", a.livez)
	a.mux.HandleFunc("GET /readyz", a.readyz)
	a.mux.HandleFunc("/livez", methods("GET"))
	a.mux.HandleFunc("/readyz", methods("GET"))
	a.mux.HandleFunc("/", a.notFound)
	return a
}

// Drain makes /readyz say that the hub is going away, so that balancers send it nobody any more.
func (a *Handler) Drain() { a.draining.Store(true) }

// ServeHTTP answers one request.
func (a *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			preflight(w)
			return
		}
	}
	a.mux.ServeHTTP(w, r)
}

// preflight answers a browser that asks before it sends (Fetch Standard, CORS protocol).
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Idempotency-Key")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// published is the answer to a publication in a live room.
type published struct {
	ID    string `json:"id"`
	Scope string `json:"scope"`
}

func (a *Handler) publish(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if r.Header["Idempotency-Key"] != nil {
		if err := protocol.CheckKey(key); err != nil {
			refuse(w, http.StatusBadRequest, &hub.Refusal{Code: protocol.ErrBadKey, Detail: err.Error(), Fix: protocol.KeyRule})
			return
		}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.hub.MaxMessage())))
	if err != nil {
		a.refuseBody(w, err)
		return
	}
	id, err := a.hub.PublishHTTP(r.PathValue("room"), key, kindOf(r.Header.Get("Content-Type")), data)
	if err != nil {
		a.refuse(w, err)
		return
	}
	reply(w, http.StatusAccepted, published{ID: id, Scope: protocol.ScopeLive})
}

// kindOf returns the kind of message that a body of this content type is. What is neither JSON nor known to be binary
// is taken for text: no type at all, and the type of forms, which curl -d sends.
func kindOf(contentType string) protocol.Kind {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return protocol.Text
	}
	switch {
	case media == "application/json":
		return protocol.JSON
	case media == "application/octet-stream", strings.HasPrefix(media, "image/"), strings.HasPrefix(media, "audio/"),
		strings.HasPrefix(media, "video/"):
		return protocol.Binary
	}
	return protocol.Text
}

func (a *Handler) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, &hub.Refusal{
			Code:   protocol.ErrTooBig,
			Detail: fmt.Sprintf("the message has more than %d bytes", tooLarge.Limit),
			Fix:    "send less at once, or start the hubs with a larger --max-message",
		})
		return
	}
	a.log.Debug("cannot read the body of a request", "error", err)
	refuse(w, http.StatusBadRequest, &hub.Refusal{
		Code: protocol.ErrBadData, Detail: "the body could not be read to its end", Fix: "send it again",
	})
}

// refuse answers with what the hub refused.
func (a *Handler) refuse(w http.ResponseWriter, err error) {
	var refusal *hub.Refusal
	if !errors.As(err, &refusal) {
		a.log.Error("cannot publish", "error", err)
		refuse(w, http.StatusInternalServerError, &hub.Refusal{
			Code: "internal", Detail: "the hub failed", Fix: "look at the hub's log",
		})
		return
	}
	status := http.StatusBadRequest
	if refusal.Code == protocol.ErrTooBig {
		status = http.StatusRequestEntityTooLarge
	}
	refuse(w, status, refusal)
}

func refuse(w http.ResponseWriter, status int, r *hub.Refusal) {
	(&problem.Problem{Status: status, Code: r.Code, Detail: r.Detail, Fix: r.Fix}).Write(w)
}

// history answers that there is none: all rooms are live rooms.
func (a *Handler) history(w http.ResponseWriter, r *http.Request) {
	room := r.PathValue("room")
	if err := protocol.CheckRoom(room); err != nil {
		refuse(w, http.StatusBadRequest, &hub.Refusal{Code: protocol.ErrBadRoom, Detail: err.Error(), Fix: protocol.RoomRule})
		return
	}
	refuse(w, http.StatusConflict, &hub.Refusal{
		Code: "no_history", Detail: fmt.Sprintf("%q is a live room, which keeps no messages", room),
		Fix: "receive them as they come, over a WebSocket at /ws",
	})
}

// Ready is the answer of /readyz.
type Ready struct {
	Status   string `json:"status"` // "ready" or "draining"
	Hub      string `json:"hub"`
	Isolated bool   `json:"isolated"` // the hub cannot reach the other hubs; it serves its own clients all the same
}

func (a *Handler) livez(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"alive"})
}

func (a *Handler) readyz(w http.ResponseWriter, _ *http.Request) {
	ready := Ready{Status: "ready", Hub: a.hub.Name(), Isolated: a.hub.Isolated()}
	status := http.StatusOK
	if a.draining.Load() {
		ready.Status, status = "draining", http.StatusServiceUnavailable
	}
	reply(w, status, ready)
}

func (a *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, &hub.Refusal{
		Code: "not_found", Detail: "nothing is at " + r.URL.Path,
		Fix: "connect to /ws, or POST to /v1/rooms/{room}/messages; the pages are HubClient's, on another port",
	})
}

// methods returns the handler for the other methods of a path.
func methods(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		refuse(w, http.StatusMethodNotAllowed, &hub.Refusal{
			Code: "method_not_allowed", Detail: r.Method + " is not what this address is for", Fix: "use " + allowed,
		})
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // the answers are structs of strings and booleans
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client is gone; nobody is left to tell
}
