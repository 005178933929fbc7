// Package api is the HTTP API of a HubServer: publishing in a room, its history, its people, what the hub counts, and
// health. The API is described by openapi.yaml, which the hub serves.
//
// Its main type is [Handler]. Refusals are problem documents (RFC 9457) with a code and a fix. It starts no goroutine.
// It does not decide which origins are let in: package origin does, before, so an Origin that arrives here is allowed,
// and is answered with the headers of CORS.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Options is what a Handler is made of.
type Options struct {
	Hub *hub.Hub
	Log *slog.Logger

	// of the transport, which answers the requests for streams
	Events      http.HandlerFunc // of a room
	StatsEvents http.HandlerFunc // of snapshots

	Stats func() *Stats // takes a snapshot; called by several goroutines at once
}

// Handler answers the requests of the API. All methods may be called by several goroutines at once.
type Handler struct {
	// immutable
	hub       *hub.Hub
	log       *slog.Logger
	mux       *http.ServeMux
	takeStats func() *Stats

	draining atomic.Bool
}

// New returns the handler of a hub's API. All options are required.
func New(o Options) *Handler {
	a := &Handler{hub: o.Hub, log: o.Log, mux: http.NewServeMux(), takeStats: o.Stats}
	for _, r := range a.routes(o) {
		a.mux.HandleFunc(r.path, methods(r.methods()))
		for method, handler := range r.handlers {
			a.mux.HandleFunc(method+" "+r.path, handler)
		}
	}
	a.mux.HandleFunc("/", a.notFound)
	return a
}

// route is an address, and who answers there by method. Where GET is answered HEAD is, too.
type route struct {
	path     string
	handlers map[string]http.HandlerFunc
}

// methods returns what stands in Allow.
func (r route) methods() string { return strings.Join(slices.Sorted(maps.Keys(r.handlers)), ", ") }

func (a *Handler) routes(o Options) []route {
	get := func(h http.HandlerFunc) map[string]http.HandlerFunc { return map[string]http.HandlerFunc{"GET": h} }
	return []route{
		{"/v1/rooms", get(a.rooms)},
		{"/v1/rooms/{room}/messages", map[string]http.HandlerFunc{"GET": a.history, "POST": a.publish}},
		{"/v1/rooms/{room}/events", get(o.Events)},
		{"/v1/rooms/{room}/people", get(a.people)},
		{"/v1/stats", get(a.stats)},
		{"/v1/stats/events", get(o.StatsEvents)},
		{"/v1/openapi.json", get(a.specJSON)},
		{"/v1/openapi.yaml", get(a.specYAML)},
		{"/livez", get(a.livez)},
		{"/readyz", get(a.readyz)},
	}
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
	if wantsToken(r) {
		who, p := auth.Bearer(a.hub, r)
		if p != nil {
			p.Write(w)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), identityKey{}, who))
	}
	a.mux.ServeHTTP(w, r)
}

// wantsToken reports whether a hub that wants tokens wants one for r: for what is behind /v1/, even where nothing is, but
// not for the description of the API, which says so.
func wantsToken(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/v1/") && !strings.HasPrefix(r.URL.Path, "/v1/openapi.")
}

// identityKey is the key of the hub.Identity in the context of a request that wants a token.
type identityKey struct{}

// identityOf returns who sent a request.
func identityOf(r *http.Request) hub.Identity {
	who, _ := r.Context().Value(identityKey{}).(hub.Identity)
	return who
}

// preflight answers a browser that asks before it sends (Fetch Standard, CORS protocol).
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers with what the hub refused.
func (a *Handler) refuse(w http.ResponseWriter, err error) {
	var refusal *hub.Refusal
	if !errors.As(err, &refusal) {
		a.log.Error("a request failed", "error", err)
		refuse(w, http.StatusInternalServerError, &hub.Refusal{
			Code: "internal", Detail: "the hub failed", Fix: "look at the hub's log",
		})
		return
	}
	status, ok := statusOf[refusal.Code]
	if !ok {
		status = http.StatusBadRequest
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	refuse(w, status, refusal)
}

// statusOf has the status of each refusal, where that is not 400.
var statusOf = map[string]int{
	protocol.ErrTooBig:     http.StatusRequestEntityTooLarge,
	protocol.ErrNoHistory:  http.StatusConflict,
	protocol.ErrOutboxFull: http.StatusServiceUnavailable,
	protocol.ErrRefused:    http.StatusServiceUnavailable,
	protocol.ErrIsolated:   http.StatusServiceUnavailable,
	protocol.ErrUnknown:    http.StatusGatewayTimeout,
}

func refuse(w http.ResponseWriter, status int, r *hub.Refusal) {
	(&problem.Problem{Status: status, Code: r.Code, Detail: r.Detail, Fix: r.Fix}).Write(w)
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
	fix := "connect to /ws, or POST to /v1/rooms/{room}/messages; GET /v1/openapi.json says what else there is; " +
		"the pages are HubClient's, on another port"
	if strings.HasPrefix(r.URL.Path, "/v1/rooms/") {
		fix = "a room has /messages, /events and /people: GET /v1/rooms/{room}/messages is its history"
	}
	refuse(w, http.StatusNotFound, &hub.Refusal{
		Code: "not_found", Detail: fmt.Sprintf("nothing is at %.200q", r.URL.Path), Fix: fix,
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

// encode returns an answer as JSON in one line, without a line's end.
func encode(body any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // what somebody published stays as it was
	if err := e.Encode(body); err != nil {
		panic(err) // the answers are structs of strings, booleans and finite numbers, and JSON that was looked at
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func reply(w http.ResponseWriter, status int, body any) {
	text := append(encode(body), '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client is gone; nobody is left to tell
}
