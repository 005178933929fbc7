package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// floods are what a client may send much of.
var floods = map[string]struct {
	frames []byte // of which many are sent
	most   int    // how many of them a turn takes at most
	last   []byte
	answer byte // the first byte of what comes of it, to the client or the other
	comes  bool // once for each
	secure bool // over TLS, each in a record of its own
}{
	"messages":          {frames: masked(fin|text, "0123456789"), most: 5, answer: fin | text, comes: true},
	"messages over TLS": {frames: masked(fin|text, "0123456789"), most: 5, answer: fin | text, comes: true, secure: true},
	"pings":             {frames: masked(fin|ping, "0123456789"), most: 5, answer: fin | pong, comes: true},
	"large":             {frames: masked(fin|binary, strings.Repeat("x", 2000)), most: 1, answer: fin | binary, comes: true},
	"fragments":         {frames: masked(cont, ""), most: 5, last: masked(fin|cont, ""), answer: fin | text},
}

// TestFloodTakesTurns has one client flood: each round takes a little of that, and has time for the others. In the end all
// is taken.
func TestFloodTakesTurns(t *testing.T) {
	const many = 400
	for name, tt := range floods {
		t.Run(name, func(t *testing.T) {
			l := newHandLoop(t, Options{})
			if tt.secure {
				l.secure()
			}
			conns := l.open("live.flooded", 2)
			pair := l.open("live.quiet", 2)
			flood := conns[0]
			answered := l.peers[conns[1]]
			if tt.answer == fin|pong {
				answered = l.peers[flood]
			}
			stream := bytes.Repeat(tt.frames, many)
			if !tt.comes {
				stream = frames(masked(text, "0"), stream, tt.last)
			}
			want := many
			if !tt.comes {
				want = 1
			}
			wrote := make(chan error, 1) // sent once, when all was written
			go func() {
				pieces := net.Buffers{stream}
				if tt.secure {
					pieces = slices.Collect(slices.Chunk(stream, len(tt.frames)))
				}
				_, err := pieces.WriteTo(l.peers[flood]) // a write each, over TLS
				wrote <- err
			}()
			got := make(chan int, 1) // sent once, with how many answers came
			_ = answered.SetReadDeadline(time.Now().Add(time.Minute))
			go func() { got <- countFrames(answered, tt.answer, want) }()

			quiet, said := l.peers[pair[0]], []byte{fin | text, 2, 'h', 'i'}
			_ = l.peers[pair[1]].SetReadDeadline(time.Now().Add(time.Minute))
			heard := make([]byte, len(said))
			began := l.now()
			for rounds := 0; ; rounds++ {
				select {
				case n := <-got:
					if n != want {
						t.Errorf("%d answers came, want %d", n, want)
					}
					if err := <-wrote; err != nil {
						t.Error(err)
					}
					// What it saved, at first and while a round took its time, comes on top.
					saved := (turnBurst + turnRate*int((l.now()-began)/time.Microsecond)) / (frameOverhead + len(tt.frames))
					if least := (many - saved) / tt.most / 2; rounds < least { // a turn for what is read, and one to go on
						t.Errorf("all was taken in %d rounds, want at least %d", rounds, least)
					}
					return
				default:
				}
				if rounds%50 == 0 {
					if _, err := quiet.Write(masked(fin|text, "hi")); err != nil {
						t.Fatal(err)
					}
					l.round()
					l.round() // what was received in one goes out in the next at the latest
					if _, err := io.ReadFull(l.peers[pair[1]], heard); err != nil || !bytes.Equal(heard, said) {
						t.Fatalf("the others heard %q, %v", heard, err)
					}
				}
				l.round()
			}
		})
	}
}

// countFrames reads short frames whose first byte is as wanted, up to so many, and returns how many came.
func countFrames(r io.Reader, first byte, most int) (n int) {
	header := make([]byte, 4)
	for n < most {
		if _, err := io.ReadFull(r, header[:2]); err != nil || header[0] != first {
			return n
		}
		size := int64(header[1])
		if size == 126 {
			if _, err := io.ReadFull(r, header[2:]); err != nil {
				return n
			}
			size = int64(header[2])<<8 | int64(header[3])
		}
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return n
		}
		n++
	}
	return n
}

// TestFloodOwesTime has a client flood while another is heard: no more is taken of it than its rate allows, and in the end
// all is taken. Where nobody else is heard it owes nothing.
func TestFloodOwesTime(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprintf("alone=%v", alone), func(t *testing.T) {
			const many, size = 3000, 10
			l := newHandLoop(t, Options{})
			flood, other := l.open("live.flooded", 1)[0], l.open("live.other", 1)[0]
			l.last, l.other = voice{}, voice{}
			wrote := make(chan error, 1) // sent once, when all was written
			go func() {
				_, err := l.peers[flood].Write(bytes.Repeat(masked(fin|text, strings.Repeat("x", size)), many))
				wrote <- err
			}()
			began := l.now()
			for taken := 0; taken < many; l.round() {
				now := l.now()
				if now-began > time.Minute {
					t.Fatalf("%d of %d messages were taken in a minute", taken, many)
				}
				if !alone {
					l.hear(other, now)
				} else if l.inDebt(flood, now) {
					t.Fatal("it is in debt to nobody")
				}
				taken = int(l.server.hub.Stats().Received["websocket"])
				// The burst that it begins with, and its last turn, of which the last message may be taken whole.
				most := turnBurst + turnRate*int((l.now()-began)/time.Microsecond) + turnBytes + frameOverhead + size
				if got := taken * (frameOverhead + size); !alone && got > most {
					t.Fatalf("%d bytes were taken in %v, want at most %d", got, now-began, most)
				}
			}
			if err := <-wrote; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOldAccount has a connection be silent for so long that its account would be one of the future.
func TestOldAccount(t *testing.T) {
	for _, silent := range []time.Duration{time.Millisecond, time.Minute, 30 * time.Minute, 50 * time.Minute, 71 * time.Minute} {
		p := polled{account: micros(time.Hour)}
		if saved := p.saving(time.Hour + silent); saved < min(silent, turnBurst/turnRate*time.Microsecond) {
			t.Errorf("silent for %v, it has saved %v", silent, saved)
		}
	}
}

// TestEndsInItsTurn has a client flood and then break the rules, so that its session ends while it waits for its turn:
// that it closes its end is then seen, and the loop does not wait until its time is over.
func TestEndsInItsTurn(t *testing.T) {
	l := newHandLoop(t, Options{})
	flood := l.open("live.flooded", 1)[0]
	l.hear(l.open("live.other", 1)[0], l.now()) // or it might have all turns
	peer := l.peers[flood]
	stream := frames(bytes.Repeat(masked(fin|text, "0123456789"), 400), []byte{fin | text, 0}) // without a mask
	if _, err := peer.Write(stream); err != nil {
		t.Fatal(err)
	}
	muted := false
	for began := time.Now(); !flood.engine.wroteAll && time.Since(began) < time.Minute; {
		l.round()
		if flood.engine.paused && !muted { // the kernel says that there is more, and may be told not to
			if _, err := peer.Write([]byte{fin | text}); err != nil {
				t.Fatal(err)
			}
			l.round()
			muted = flood.engine.muted
		}
	}
	if !muted {
		t.Fatal("the kernel was never told not to tell of it: this says nothing")
	}
	_ = peer.Close()
	for began := time.Now(); l.loop.open > 1; {
		if time.Since(began) > time.Minute {
			t.Fatal("it was not seen that the client closed")
		}
		l.round()
	}
	if how := flood.howClosed(); how == nil || how.code != protocol.CodeProtocolError {
		t.Errorf("closed with %+v", how)
	}
}

// TestGoneInItsTurn has a client break off while its connection waits for its turn, which may be long, as when the log
// is behind: the kernel must not tell of it again and again, or the loop would never rest. When its turn comes the
// connection ends.
func TestGoneInItsTurn(t *testing.T) {
	l := newHandLoop(t, Options{})
	c := l.open("live.r", 1)[0]
	peer := l.peers[c].(*net.TCPConn)
	l.pause(c)
	if _, err := peer.Write(masked(fin|text, "hi")); err != nil {
		t.Fatal(err)
	}
	l.ask()
	if !c.engine.muted {
		t.Fatal("the kernel did not tell of what came: this says nothing")
	}
	if err := peer.SetLinger(0); err != nil { // so that it is reset
		t.Fatal(err)
	}
	_ = peer.Close()
	for range 10 {
		if n := l.ask(); n > 0 {
			t.Fatalf("the kernel tells of %d events", n)
		}
	}
	for began := time.Now(); l.loop.open > 0; l.round() {
		if time.Since(began) > time.Minute {
			t.Fatal("the connection does not end")
		}
	}
}

// deafLog is a log that is there and never answers.
type deafLog struct {
	hub.Log
	receiver hub.LogReceiver
}

func (d *deafLog) Start(_ context.Context, r hub.LogReceiver) error {
	d.receiver = r
	r.SetAway(false, nil)
	return nil
}
func (*deafLog) Append(*protocol.Message, func(hub.Appended, error)) error { return nil }
func (*deafLog) Read(string, protocol.Position, int, bool, func(hub.LogPage, error)) error {
	return nil
}
func (*deafLog) Subscribe(string, uint64) {}
func (*deafLog) Unsubscribe(string)       {}
func (*deafLog) Secret() []byte           { return nil }
func (*deafLog) Close() error             { return nil }

// newDeafLoop returns a hub whose log never answers, and a loop of it.
func newDeafLoop(t *testing.T, outbox int) (*hub.Hub, *handLoop) {
	t.Helper()
	deaf := new(deafLog)
	h := hub.New(hub.Options{Broker: nowhere{}, Logs: deaf, Outbox: outbox, AttachTimeout: time.Millisecond})
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		deaf.receiver.SetAway(true, errors.New("the test is over")) // so that nobody waits for it
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, newHandLoopOf(t, h, Options{})
}

// TestEndsInItsTurnInALogRoom has a client of a log room be closed while its connection waits for its turn. The loop asks
// whether it waits for the log, and it is in no room any more.
func TestEndsInItsTurnInALogRoom(t *testing.T) {
	_, l := newDeafLoop(t, 0)
	all := l.open("log", resumed+1) // so that the turn of the last does not come in the round in which it ends
	for _, c := range all {
		l.pause(c)
	}
	all[resumed].abort(protocol.CodeGoingAway)
	for began := time.Now(); l.loop.open > resumed || l.busy(); l.round() {
		if time.Since(began) > time.Minute {
			t.Fatal("the connection does not end")
		}
	}
}

// TestTurnsWhileTheLogIsBehind has the log be far behind, so that those who publish in log rooms wait. A client in a live
// room that has sent more than a turn, in fragments, of which nothing else comes, does not: the loop goes on with it.
func TestTurnsWhileTheLogIsBehind(t *testing.T) {
	const outbox = 2000
	h, l := newDeafLoop(t, outbox)
	slow, live := l.open("log", 1)[0], l.open("live.r", 2)
	write := func(c *conn, stream []byte) {
		t.Helper()
		if _, err := l.peers[c].Write(stream); err != nil {
			t.Fatal(err)
		}
	}
	// What fills the outbox, and more, so that it waits as well; then what is live.
	write(slow, bytes.Repeat(masked(fin|text, strings.Repeat("x", outbox*3/4)), 2))
	for began := time.Now(); !h.FarBehind(); l.round() {
		if time.Since(began) > time.Minute {
			t.Fatal("the log is not behind")
		}
	}
	write(live[0], frames(masked(text, "h"), bytes.Repeat(masked(cont, ""), 20), masked(fin|cont, "i")))
	for rounds := 1; rounds <= 1 || l.busy() || l.waiting(); rounds++ { // and then it would wait
		l.round()
	}
	_ = l.peers[live[1]].SetReadDeadline(time.Now().Add(time.Minute))
	if countFrames(l.peers[live[1]], fin|text, 1) != 1 {
		t.Error("the loop would wait before all is taken")
	}
	if h.FarBehind() && !slow.engine.paused {
		t.Error("who publishes in a log room does not wait")
	}
}
