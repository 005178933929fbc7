package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// triesAtHub is how often in a row a client fails at one hub before it is the next one's turn.
const triesAtHub = 2

// place is where a hub is.
type place struct {
	url   string // of the WebSocket
	shown string // for errors and logs
}

// places returns the places that addresses stand for, the first of which is home.
func places(addresses []string) ([]place, error) {
	hubs := make([]place, len(addresses))
	for i, address := range addresses {
		var err error
		if hubs[i].url, hubs[i].shown, err = endpoint(address); err != nil {
			return nil, err
		}
	}
	return hubs, nil
}

// names returns the places as they stand in errors.
func names(hubs []place) string {
	shown := make([]string, len(hubs))
	for i, h := range hubs {
		shown[i] = h.shown
	}
	return strings.Join(shown, ", ")
}

// route says at which hub the client tries next. It is used by Dial, and then by run alone.
type route struct {
	hubs     []place // home first
	at       int
	failures int // in a row, at this hub
}

func (r *route) place() place { return r.hubs[r.at] }

// failed notes that there was no connection to be had.
func (r *route) failed() {
	if r.failures++; r.failures == triesAtHub {
		r.next()
	}
}

func (r *route) next() { r.at, r.failures = (r.at+1)%len(r.hubs), 0 }

// lost notes that a connection was lost: the next is tried at home. A home that is going away is passed over.
func (r *route) lost(goingAway bool) {
	wasHome := r.at == 0
	r.at, r.failures = 0, 0
	if wasHome && goingAway {
		r.next()
	}
}

// goesAway reports whether the hub said that it is about to end.
func (l *link) goesAway(cause error) bool { return l.bye || hasCode(cause, protocol.CodeDraining) }

// dial tries each hub once, and goes on at the next without waiting: whoever starts a program wants to know.
func (r *route) dial(connect func(place) (*link, error)) (*link, error) {
	var failed error
	for r.at = range r.hubs {
		l, err := connect(r.place())
		if err == nil {
			return l, nil
		}
		err = fmt.Errorf("connect to %s: %w", r.place().shown, err)
		if failed == nil {
			failed = err
		} else {
			failed = fmt.Errorf("%w; %w", failed, err)
		}
		if !retryable(err) || errors.Is(err, ErrToken) {
			return nil, err
		}
	}
	return nil, failed
}
