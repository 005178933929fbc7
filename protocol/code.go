package protocol

import "strconv"

// Code is a WebSocket close code (RFC 6455 §7.4). 4000 to 4499 tell a client to connect again, 4500 to 4999 not to.
type Code uint16

// The close codes that hubs use.
const (
	CodeNormal          Code = 1000
	CodeGoingAway       Code = 1001 // what browsers send when a page is left
	CodeProtocolError   Code = 1002
	CodeUnsupportedData Code = 1003
	CodeNoStatus        Code = 1005 // never sent: the peer's close frame had no code
	CodeAbnormal        Code = 1006 // never sent: the connection ended without a close frame
	CodeInvalidUTF8     Code = 1007
	CodeTooBig          Code = 1009
	CodeInternal        Code = 1011

	CodeDraining Code = 4001 // the hub is going away
	CodeExpired  Code = 4005 // the client's token has ended: it may come back with another
	CodeTooSlow  Code = 4008 // the client read too slowly and its queue is full
	CodeNoPong   Code = 4012 // nothing was heard from the client in time
	CodeTooMany  Code = 4013 // a plain session sent more than can be kept while the log cannot be reached

	CodeBadToken   Code = 4500 // the hub wants a token, and got none or a wrong one
	CodeBadRequest Code = 4501 // the client does not speak the subprotocol
	CodeDisplaced  Code = 4514 // another session of the same client took its place
)

// CodeOther stands for all codes that are not Known. It is never sent.
const CodeOther Code = 0

// Known reports whether c is one of the codes above.
func (c Code) Known() bool {
	switch c {
	case CodeNormal, CodeGoingAway, CodeProtocolError, CodeUnsupportedData, CodeNoStatus, CodeAbnormal, CodeInvalidUTF8,
		CodeTooBig, CodeInternal, CodeDraining, CodeExpired, CodeTooSlow, CodeNoPong, CodeTooMany,
		CodeBadToken, CodeBadRequest, CodeDisplaced:
		return true
	}
	return false
}

// Reconnect reports whether a client that is closed with c should connect again by itself.
func (c Code) Reconnect() bool { return c < 4500 || c > 4999 }

// String returns the value of the metrics' label: the number in digits, or "other".
func (c Code) String() string {
	if c == CodeOther {
		return "other"
	}
	return strconv.Itoa(int(c))
}

// The codes of error frames and of problem documents.
const (
	ErrBadRoom      = "bad_room"
	ErrBadKey       = "bad_key"
	ErrBadFrame     = "bad_frame"
	ErrBadData      = "bad_data"
	ErrTooManyRooms = "too_many_rooms"
	ErrTooMany      = "too_many_requests"
	ErrTooBig       = "too_big"
	ErrHelloFirst   = "hello_first"
	ErrBadPosition  = "bad_position"
	ErrBadQuery     = "bad_query"
	ErrOutboxFull   = "outbox_full" // nothing was shown or kept: try again later
	ErrRefused      = "refused"     // the log took it not, and will not
	ErrUnknown      = "unknown"     // it may be stored, now or later: publish it again under its key
	ErrNoHistory    = "no_history"
	ErrIsolated     = "isolated" // the log cannot be read now

	ErrTokenRequired = "token_required" // over HTTP; a session is told ErrBadToken
	ErrBadToken      = "bad_token"
	ErrTokenExpired  = "token_expired" // it was good, and its time is over
)
