package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// goClient is a program that uses package client, in log rooms. What the client logs of its frames, and what it hands to
// the program, is its record. It publishes what it is told to, one message after the other in each room, and takes no
// failure: each is an error of the test.
//
// It owns a goroutine for each room that it reads, and for each that it publishes in; leave ends and awaits them.
type goClient struct {
	// immutable
	tb     testing.TB
	name   string
	client *client.Client
	rooms  []*client.Room
	reads  bool
	ctx    context.Context // of the readers
	quit   context.CancelFunc
	work   sync.WaitGroup // readers
	posts  sync.WaitGroup // publishers

	calm atomic.Bool // publishers are to end
	keys atomic.Int64

	mu       sync.Mutex
	rec      record                       // guarded by mu
	open     bool                         // there is a connection, by the record; guarded by mu
	kept     map[string]bool              // keys of its own that only a hub has; guarded by mu
	stored   int                          // messages of its own that are in the log; guarded by mu
	known    map[string]bool              // keys of its own that were made; true where they are stored; guarded by mu
	cursors  map[string]protocol.Position // by room, the last that it was told; guarded by mu
	given    int                          // messages that the program got; guarded by mu
	unplaced map[string]bool              // ids of others that were shown without a position; guarded by mu
}

// startGoClient connects a client to the first of hubs, which has the others for when that is down, and joins rooms.
func startGoClient(tb testing.TB, name string, reads bool, rooms []string, hubs ...*wire) *goClient {
	tb.Helper()
	g := &goClient{
		tb: tb, name: name, reads: reads, rec: record{name: name, gives: reads},
		kept: map[string]bool{}, known: map[string]bool{}, cursors: map[string]protocol.Position{}, unplaced: map[string]bool{},
	}
	g.ctx, g.quit = context.WithCancel(tb.Context())
	var others []string
	for _, h := range hubs[1:] {
		others = append(others, h.URL())
	}
	c, err := client.Dial(tb.Context(), hubs[0].URL(), client.WithName(name), client.WithHubs(others...),
		client.WithLog(slog.New(recorder{g})), client.WithBackoff(50*time.Millisecond, 500*time.Millisecond), client.WithBuffer(64<<20))
	if err != nil {
		tb.Fatal(err)
	}
	g.client = c
	tb.Cleanup(g.leave)
	for _, name := range rooms {
		if !reads {
			continue
		}
		room, err := c.Join(tb.Context(), name)
		if err != nil {
			tb.Fatal(err)
		}
		g.rooms = append(g.rooms, room)
		g.work.Go(func() { g.read(room) }) // ends with ctx, and with the client
	}
	return g
}

// read takes what comes in a room, in which nothing may be missing.
func (g *goClient) read(room *client.Room) {
	for m, err := range room.Messages(g.ctx) {
		if err != nil {
			g.tb.Errorf("%s in %s: %v", g.name, room.Name(), err)
			continue
		}
		data, _ := json.Marshal(string(m.Data)) // a string can always be marshalled
		g.mu.Lock()
		g.given++
		g.mu.Unlock()
		g.note(gave, "", &protocol.Frame{Type: protocol.TypeMessage, Room: m.Room, ID: m.ID, Data: data})
	}
}

// publishIn publishes in a room again and again, until the load ends. Each message is tried until it is taken.
func (g *goClient) publishIn(room string, pace time.Duration) {
	g.posts.Go(func() { // ends when calm is set, which leave does at the latest
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for range tick.C {
			if g.calm.Load() || !g.publish(room) {
				return
			}
		}
	})
}

// publish publishes one message, whose text says all that the checker needs to know.
func (g *goClient) publish(room string) bool {
	text := fmt.Sprintf("%s %s %d", room, g.name, g.keys.Add(1))
	ack, err := g.client.Publish(g.ctx, room, protocol.Text, []byte(text))
	if err != nil {
		if g.ctx.Err() == nil {
			g.tb.Errorf("%s: %v", g.name, err)
		}
		return false
	}
	f := &protocol.Frame{Type: protocol.TypeAck, Room: room, Key: ack.Key, ID: ack.ID}
	if ack.Scope == protocol.ScopeCluster {
		f.Position = ack.Position.String()
	}
	g.note(gave, "", f)
	return true
}

// finish ends the load, and returns when each message was taken.
func (g *goClient) finish() {
	g.calm.Store(true)
	g.posts.Wait()
}

// drain returns when the program has got all that others published, where it reads.
func (g *goClient) drain(logs map[string][]stored) {
	if !g.reads {
		return
	}
	due := 0
	for _, log := range logs {
		for _, s := range log {
			if s.from != g.client.ID() {
				due++
			}
		}
	}
	eventually(g.tb, "the program of "+g.name+" has got everything", func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.given < due { // more than that the checker finds
			return fmt.Errorf("%d messages of %d", g.given, due)
		}
		return nil
	})
}

// leave ends the client. It may be called again.
func (g *goClient) leave() {
	g.calm.Store(true)
	g.quit()
	g.client.Close()
	g.posts.Wait()
	g.work.Wait()
}

// rest returns an error as long as the client is not at the log's end, with all that it was shown in its place, or a hub
// alone has a message of its own.
func (g *goClient) rest(room string, top uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(g.kept) > 0:
		return fmt.Errorf("%s: %d messages are kept by a hub alone", g.name, len(g.kept))
	case g.reads && g.cursors[room].Offset != top:
		return fmt.Errorf("%s is at %v of %s, whose log ends at %d", g.name, g.cursors[room], room, top)
	case len(g.unplaced) > 0:
		return fmt.Errorf("%s shows %d messages without a position", g.name, len(g.unplaced))
	}
	return nil
}

// progress returns how many of its messages are stored, and how many are kept by a hub alone.
func (g *goClient) progress() (stored, kept int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored, len(g.kept)
}

func (g *goClient) note(w what, where string, f *protocol.Frame) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rec.add(w, where, f)
}

// recorder is the client's log: it records frames, and where connections begin and end.
type recorder struct{ *goClient }

func (r recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r recorder) WithAttrs([]slog.Attr) slog.Handler       { panic("the client gives no attributes") }
func (r recorder) WithGroup(string) slog.Handler            { panic("the client makes no groups") }

func (r recorder) Handle(_ context.Context, line slog.Record) error {
	attrs := map[string]string{}
	line.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.String(); return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	text, isFrame := attrs["frame"]
	if !isFrame {
		if r.open && attrs["err"] != "" {
			r.open = false
			r.rec.add(closed, strings.Replace(attrs["err"], "closed the connection with", "closed with", 1), nil)
		}
		return nil
	}
	f, err := protocol.DecodeFrame([]byte(text))
	switch {
	case err != nil:
		return err
	case line.Message == "frame sent":
		r.sent(f)
	default:
		r.rec.add(got, "", f)
		r.got(f)
	}
	return nil
}

// sent notes a frame to the hub. A message is made when it is first sent.
func (r recorder) sent(f *protocol.Frame) {
	if f.Type == protocol.TypeHello {
		r.open = true
		r.rec.add(opened, "", nil)
	}
	if _, again := r.known[f.Key]; f.Type == protocol.TypePublish && !again {
		r.known[f.Key] = false
		r.rec.add(made, "", f)
	}
	r.rec.add(sent, "", f)
}

// got counts what came: it is for waiting alone, and the checker does not look at it.
func (r recorder) got(f *protocol.Frame) {
	at, _ := protocol.ParsePosition(f.Position) // zero where there is none
	if !f.Past && at.Offset > r.cursors[f.Room].Offset {
		r.cursors[f.Room] = at
	}
	switch {
	case f.Type == protocol.TypeMessage && at.IsZero():
		r.unplaced[f.ID] = true
	case f.Type == protocol.TypeMessage:
		delete(r.unplaced, f.ID)
	case f.Type == protocol.TypeAck && at.IsZero():
		if stored := r.known[f.Key]; !stored { // otherwise it was sent again, and the stream was first to say where it is
			r.kept[f.Key] = true
		}
	case f.Type == protocol.TypeAck:
		delete(r.unplaced, f.ID)
		delete(r.kept, f.Key)
		if stored, own := r.known[f.Key]; own && !stored {
			r.known[f.Key] = true
			r.stored++
		}
	}
}
