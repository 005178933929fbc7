package bench

import "net/url"

// Plain is the dialect of servers that pass each message on as it is: hub.plain, and whatever has the same path. A
// connection is ready when the server has answered a ping, behind which it surely is in its room.
type Plain struct {
	Path  string // of the WebSocket; default /ws
	Token string // shown as Authorization: Bearer; empty: none
}

// Request implements Dialect.
func (d Plain) Request(room string) Request {
	path := d.Path
	if path == "" {
		path = "/ws"
	}
	return Request{Path: path + "?room=" + url.QueryEscape(room), Header: bearer(d.Token)}
}

// bearer returns the line of a header that shows token.
func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Authorization: Bearer " + token + "\r\n"
}

// Peer implements Dialect.
func (d Plain) Peer(string) Peer { return plainPeer{} }

// Acks implements Dialect: there are none.
func (d Plain) Acks() bool { return false }

// plainPeer keeps nothing, so that it costs nothing.
type plainPeer struct{}

func (plainPeer) Start(t *Turn) { t.ReadyAfterPong() }

func (plainPeer) Receive(t *Turn, _ Opcode, payload []byte) error {
	t.Message(payload)
	return nil
}

func (plainPeer) Publish(t *Turn, body []byte) { t.Send(Text, body) }
