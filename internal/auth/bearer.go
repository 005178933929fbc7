package auth

import (
	"net/http"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Bearer returns who sent a request, by its header Authorization (RFC 6750 §2.1), or why h does not answer it.
func Bearer(h *hub.Hub, r *http.Request) (hub.Identity, *problem.Problem) {
	var token string
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	who, refusal := h.Authenticate(token)
	if refusal == nil {
		return who, nil
	}
	fix := refusal.Fix
	if refusal.Code == protocol.ErrTokenRequired {
		fix += ", as Authorization: Bearer TOKEN"
	}
	return hub.Identity{}, &problem.Problem{
		Status: http.StatusUnauthorized, Code: refusal.Code, Detail: refusal.Detail, Fix: fix,
	}
}
