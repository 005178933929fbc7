// Package problem answers HTTP requests that are refused, with problem documents (RFC 9457) that say what, why, and
// what to do. It keeps no state.
package problem

import (
	"encoding/json"
	"net/http"
)

// Problem is why a request is refused. It is an error, so that checks can return it and a handler write it.
type Problem struct {
	Status int    `json:"status"` // the HTTP status
	Title  string `json:"title"`  // what Status means, filled in by Write
	Code   string `json:"code"`   // for programs: one word that never changes
	Detail string `json:"detail"` // for people: what was wrong in this request
	Fix    string `json:"fix"`    // for people: what to do
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// Write answers with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	q := *p
	q.Title = http.StatusText(q.Status)
	body, err := json.Marshal(&q)
	if err != nil {
		panic(err) // strings and a number always marshal
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if q.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1 asks for it
	}
	w.WriteHeader(q.Status)
	_, _ = w.Write(append(body, '\n')) // the client is gone; nobody is left to tell
}
