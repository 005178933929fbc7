package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// historyPage is the answer of GET /v1/rooms/{room}/messages.
type historyPage struct {
	Messages []struct {
		ID       string          `json:"id"`
		Position string          `json:"position"`
		From     protocol.Client `json:"from"`
		Data     json.RawMessage `json:"data"`
	} `json:"messages"`
	Next    *string `json:"next"`
	Reset   bool    `json:"reset"`
	Orphans int     `json:"orphans"`
}

// errUnavailable says that the hub cannot read logs now, as it is cut off from Redis.
var errUnavailable = errors.New("the hub cannot read the log now")

// awaitRoom is readRoom as soon as the hub can read logs.
func (h *hub) awaitRoom(tb testing.TB, room string) (log []stored) {
	tb.Helper()
	var err error
	eventually(tb, "the log of "+room+" can be read", func() error {
		if log, err = h.readRoom(room); errors.Is(err, errUnavailable) {
			return err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

// readPage reads what follows after a position of a room's log.
func (h *hub) readPage(room, after string, limit int) (p historyPage, err error) {
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	status, body, err := get(h.URL() + "/v1/rooms/" + room + "/messages?" + query.Encode())
	switch {
	case err != nil:
	case status == http.StatusServiceUnavailable:
		err = fmt.Errorf("%w: %s", errUnavailable, body)
	case status != http.StatusOK:
		err = fmt.Errorf("status %d: %s", status, body)
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		err = fmt.Errorf("read room %q of %s after %q: %w", room, h.Addr(), after, err)
	}
	return p, err
}

// readRoom reads all that a room's log has, page by page: what everybody is to have in the end.
func (h *hub) readRoom(room string) (log []stored, err error) {
	const nowhere = "nowhere:0" // a position of no log: the first page says reset, and begins at the oldest entry
	for after := nowhere; ; {
		p, err := h.readPage(room, after, 1000)
		switch {
		case err != nil:
			return nil, err
		case p.Next == nil && len(p.Messages) == 0 && after == nowhere:
			return nil, nil // there is no log
		case p.Next == nil || p.Reset != (after == nowhere) || p.Orphans != 0:
			return nil, fmt.Errorf("read room %q of %s after %q: next %v, reset %v, orphans %d", room, h.Addr(), after, p.Next, p.Reset, p.Orphans)
		case len(p.Messages) == 0:
			return log, nil
		}
		for _, m := range p.Messages {
			at, err := protocol.ParsePosition(m.Position)
			if err != nil {
				return nil, fmt.Errorf("read room %q of %s: message %s at %q: %w", room, h.Addr(), m.ID, m.Position, err)
			}
			log = append(log, stored{at, m.ID, textIn(&protocol.Frame{Data: m.Data}), m.From.ID})
		}
		after = *p.Next
	}
}
