package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// poster publishes in a log room over HTTP, one message at a time, each under its key until it is known to be stored,
// at whatever hub answers. Its record has the frames that a client of hub.v1 would have sent and got.
//
// It owns one goroutine, which stop ends and awaits.
type poster struct {
	// immutable
	name, room string
	hubs       []*hub
	enough     context.Context
	cancel     context.CancelFunc
	work       sync.WaitGroup

	mu   sync.Mutex
	rec  record // guarded by mu
	quit bool   // guarded by mu: it makes no more
	busy bool   // guarded by mu: a message is not known to be stored
}

// startPoster starts one that makes a message at every pace. The test's end stops it.
func startPoster(tb testing.TB, name, room string, pace time.Duration, hubs ...*hub) *poster {
	p := &poster{name: name, room: room, hubs: hubs, rec: record{name: name}}
	p.enough, p.cancel = context.WithCancel(context.Background())
	p.note(opened, "HTTP", nil)
	p.note(got, "", &protocol.Frame{Type: protocol.TypeWelcome, Client: new(protocol.Credentials)})
	p.work.Go(func() { p.run(pace) })
	tb.Cleanup(p.stop)
	return p
}

// stop ends it at once. It may be called again.
func (p *poster) stop() {
	p.cancel()
	p.work.Wait()
}

// finish has it make no more.
func (p *poster) finish() {
	p.mu.Lock()
	p.quit = true
	p.mu.Unlock()
}

// rest returns an error as long as a message is not known to be stored.
func (p *poster) rest() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy || !p.quit {
		return fmt.Errorf("%s still has a message that is not stored", p.name)
	}
	return nil
}

func (p *poster) run(pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 1; ; n++ {
		p.mu.Lock()
		quit := p.quit
		p.busy = !quit
		p.mu.Unlock()
		if quit {
			return
		}
		key := fmt.Sprintf("%s-%d", p.name, n) // the sender is the room, which others may share
		text := fmt.Sprintf("%s %s %d %s", p.room, p.name, n, key)
		data, _ := json.Marshal(text) // a string can always be marshalled
		p.note(made, "", &protocol.Frame{Type: protocol.TypePublish, Room: p.room, Key: key, Data: data})
		for try := 0; !p.post(p.hubs[(n/50+try)%len(p.hubs)], key, text); try++ {
			if !p.wait(tick) {
				return
			}
		}
		p.mu.Lock()
		p.busy = false
		p.mu.Unlock()
		if !p.wait(tick) {
			return
		}
	}
}

func (p *poster) wait(tick *time.Ticker) bool {
	select {
	case <-tick.C:
		return true
	case <-p.enough.Done():
		return false
	}
}

// post sends a message to a hub, and reports whether it is known to be stored.
func (p *poster) post(h *hub, key, text string) bool {
	ctx, cancel := context.WithTimeout(p.enough, logRetry)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", h.URL()+"/v1/rooms/"+p.room+"/messages", strings.NewReader(text))
	if err != nil {
		return false
	}
	r.Header.Set("Idempotency-Key", key)
	p.note(sent, h.Addr(), &protocol.Frame{Type: protocol.TypePublish, Room: p.room, Key: key})
	answer, err := requests.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var a struct {
		ID        string `json:"id"`
		Position  string `json:"position"`
		Scope     string `json:"scope"`
		Duplicate bool   `json:"duplicate"`
		Code      string `json:"code"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil {
		return false
	}
	switch answer.StatusCode {
	case http.StatusCreated, http.StatusAccepted:
		p.note(got, h.Addr(), &protocol.Frame{
			Type: protocol.TypeAck, Room: p.room, Key: key, ID: a.ID, Scope: a.Scope, Position: a.Position, Duplicate: a.Duplicate,
		})
		return answer.StatusCode == http.StatusCreated
	case http.StatusGatewayTimeout, http.StatusServiceUnavailable:
	default:
		p.note(got, h.Addr(), &protocol.Frame{Type: protocol.TypeError, Room: p.room, Key: key, Code: a.Code})
	}
	return false
}

func (p *poster) note(w what, where string, f *protocol.Frame) {
	p.mu.Lock()
	p.rec.add(w, where, f)
	p.mu.Unlock()
}
