package ws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// roomOf returns the room that a plain session enters. What cannot be read is refused rather than taken for no room:
// its messages would go to the lobby.
func roomOf(r *http.Request, plain bool) (string, *problem.Problem) {
	if !plain {
		return "", nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	rooms := query["room"]
	switch {
	case err != nil:
		err = errors.New("the query of the address cannot be read")
	case len(rooms) == 0:
		return protocol.DefaultRoom, nil
	case len(rooms) > 1:
		err = fmt.Errorf("the address names %d rooms", len(rooms))
	default:
		err = protocol.CheckRoom(rooms[0])
	}
	if err != nil {
		return "", &problem.Problem{
			Status: http.StatusBadRequest, Code: protocol.ErrBadRoom, Detail: err.Error(),
			Fix: "name one room by ?room=NAME; " + protocol.RoomRule,
		}
	}
	return rooms[0], nil
}

// checkHandshake returns why the request cannot be upgraded (RFC 6455 §4.2.1), or nil. The library checks the same, but
// only when the session is in its room, and others have been told of it.
func checkHandshake(r *http.Request) *problem.Problem {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	version := r.Header.Get("Sec-WebSocket-Version")
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1 ||
		!strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || !hasToken(r.Header.Get("Connection"), "upgrade"):
		return &problem.Problem{
			Status: http.StatusUpgradeRequired, Code: "upgrade_required",
			Detail: "this is the address of a WebSocket, and the request does not ask for one",
			Fix:    "open it with a WebSocket client, or publish by POST /v1/rooms/{room}/messages",
		}
	case version != "13":
		return &problem.Problem{
			Status: http.StatusUpgradeRequired, Code: "upgrade_required",
			Detail: fmt.Sprintf("version %.20q of the WebSocket protocol is not spoken here", version),
			Fix:    "use version 13, that of RFC 6455",
		}
	case err != nil || len(key) != 16:
		return &problem.Problem{
			Status: http.StatusBadRequest, Code: "bad_handshake",
			Detail: "Sec-WebSocket-Key is not 16 bytes in base64", Fix: "open it with a WebSocket client",
		}
	}
	return nil
}

// hasToken reports whether a header's comma-separated list has token, whatever its case.
func hasToken(header, token string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if strings.EqualFold(strings.TrimSpace(t), token) {
			return true
		}
	}
	return false
}

func refuseDraining(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	(&problem.Problem{
		Status: http.StatusServiceUnavailable, Code: "draining",
		Detail: "the hub is going away", Fix: "connect to another hub, or again in a moment",
	}).Write(w)
}

func known(name string) bool {
	return name == protocol.SubprotocolV1 || name == protocol.SubprotocolPlain
}

// subprotocol returns the first known subprotocol that the client offers, as the library will choose it, or "".
func subprotocol(r *http.Request) string {
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); known(name) {
				return name
			}
		}
	}
	return ""
}
