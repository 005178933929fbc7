package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxFrame is the most bytes of one frame from the hub. It bounds what a peer that is no hub can make us allocate, and
// is far above what a hub sends by default: 64 KiB of data, six times that where all of it is escaped.
const maxFrame = 16 << 20

// newHTTPClient returns what makes the handshakes. It keeps no connection, so that nothing is left when the client
// ends, and speaks HTTP/1.1 alone, as RFC 6455 §4 does.
func newHTTPClient(o *options) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       o.dial,
			TLSClientConfig:   o.tls,
			DisableKeepAlives: true,
		},
		// A hub does not send its clients elsewhere, and what does is none.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// open opens one connection: handshake, hello, welcome, status. Its goroutines are started by [link.run].
func (c *Client) open(ctx context.Context, at place) (*link, error) {
	within, cancel := context.WithTimeout(ctx, c.options.handshakeTimeout)
	defer cancel()
	conn, answer, err := websocket.Dial(within, at.url, &websocket.DialOptions{
		HTTPClient:   c.http,
		Subprotocols: []string{protocol.SubprotocolV1},
	})
	if err != nil {
		return nil, refusal(answer, err)
	}
	if conn.Subprotocol() != protocol.SubprotocolV1 {
		conn.CloseNow()
		return nil, fmt.Errorf("%w: what answers is no hub: it does not speak %s",
			ErrUnreachable, protocol.SubprotocolV1)
	}
	conn.SetReadLimit(maxFrame)
	l := newLink(c, conn)
	if err := l.greet(within); err != nil {
		conn.CloseNow()
		return nil, fmt.Errorf("greet: %w", err)
	}
	return l, nil
}

// greet says hello and waits for what the hub answers (docs/protocol.md, "Order of things").
func (l *link) greet(ctx context.Context) error {
	// Where this fails the hub may have said why it closed, and reading gets to that.
	_ = l.send(ctx, l.client.hello().Encode())
	for {
		f, err := l.read(ctx)
		if err != nil {
			closed, ok := errors.AsType[*CloseError](err)
			if ok && (!closed.Code.Reconnect() || closed.Code == protocol.CodeExpired) {
				return closed
			}
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		switch {
		case f.Type == protocol.TypeWelcome && f.Client != nil:
			l.who, l.hub = *f.Client, f.Hub
			l.client.dateToken(f)
		case f.Type == protocol.TypeStatus && f.Isolated != nil:
			l.isolated = *f.Isolated
			return nil
		case f.Type == protocol.TypeError:
			return &Refused{Code: f.Code, Message: f.Message, Fix: f.Fix}
		}
	}
}

// refusal turns the failure of a handshake into an error: what a hub says in a problem document (RFC 9457) is a
// *Refused, everything else means that no hub was reached.
func refusal(answer *http.Response, err error) error {
	if answer == nil || answer.StatusCode == http.StatusSwitchingProtocols || answer.Body == nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, plain(err))
	}
	body, _ := io.ReadAll(answer.Body) // what coder/websocket kept of it: at most 1,024 bytes, in memory
	if r := parseProblem(body); r != nil {
		if answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests {
			return fmt.Errorf("%w: %v", ErrUnreachable, r) // not for good, so it is no refusal
		}
		return r
	}
	return fmt.Errorf("%w: what answers is no hub: HTTP status %s", ErrUnreachable, answer.Status)
}

// parseProblem returns what the problem document in body says, or nil where it is none of a hub's.
func parseProblem(body []byte) *Refused {
	var p struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Fix    string `json:"fix"`
	}
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		return nil
	}
	message := p.Detail
	if message == "" {
		message = p.Title
	}
	return &Refused{Code: p.Code, Message: message, Fix: p.Fix}
}

// retryable reports whether it makes sense to connect again after err.
func retryable(err error) bool {
	if closed, ok := errors.AsType[*CloseError](err); ok {
		return closed.Code.Reconnect()
	}
	_, refused := errors.AsType[*Refused](err)
	return !refused || errors.Is(err, ErrUnreachable)
}

// hasCode reports whether err says that the hub closed the connection with code.
func hasCode(err error, code protocol.Code) bool {
	closed, ok := errors.AsType[*CloseError](err)
	return ok && closed.Code == code
}
