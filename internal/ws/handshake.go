package ws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
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
//
// Several lines of one name are one list (RFC 9110 §5.3). Of key and version there is one each (RFC 6455 §11.3.1,
// §11.3.5), and a list is none.
func checkHandshake(r *http.Request) *problem.Problem {
	key, err := base64.StdEncoding.DecodeString(joined(r, keyHeader))
	version := joined(r, versionHeader)
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1 ||
		!hasToken(r, upgradeHeader, "websocket") || !hasToken(r, connectionHeader, "upgrade"):
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

// Headers of a handshake, as package http writes their names.
const (
	upgradeHeader     = "Upgrade"
	connectionHeader  = "Connection"
	keyHeader         = "Sec-Websocket-Key"
	versionHeader     = "Sec-Websocket-Version"
	subprotocolHeader = "Sec-Websocket-Protocol"
)

// joined returns all lines of a header as one.
func joined(r *http.Request, header string) string { return strings.Join(r.Header[header], ", ") }

// elements goes over what is in the lists of all lines of a header. Empty ones do not count (RFC 9110 §5.6.1).
func elements(r *http.Request, header string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range r.Header[header] {
			for element := range strings.SplitSeq(line, ",") {
				if element = strings.Trim(element, " \t"); element != "" && !yield(element) {
					return
				}
			}
		}
	}
}

// hasToken reports whether a header's list has token, whatever its case.
func hasToken(r *http.Request, header, token string) bool {
	for element := range elements(r, header) {
		if strings.EqualFold(element, token) {
			return true
		}
	}
	return false
}

// agreed returns the request with what was agreed in place of its lists: the library looks at the first line of some, and
// refuses others for their empty elements.
func agreed(r *http.Request, subprotocol string) *http.Request {
	short := r.WithContext(r.Context()) // a handler leaves its request as it is
	short.Header = http.Header{
		upgradeHeader: {"websocket"}, connectionHeader: {"Upgrade"},
		keyHeader: r.Header[keyHeader], versionHeader: r.Header[versionHeader],
	}
	if subprotocol != "" {
		short.Header[subprotocolHeader] = []string{subprotocol}
	}
	return short
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

// subprotocol returns the first known subprotocol that the client offers, or "".
func subprotocol(r *http.Request) string {
	for name := range elements(r, subprotocolHeader) {
		if known(name) {
			return name
		}
	}
	return ""
}
