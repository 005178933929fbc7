package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// notes is a dialect whose peers note what they get.
type notes struct {
	Plain
	got *[]string
}

func (n notes) Peer(string) Peer { return notingPeer(n) }

type notingPeer notes

func (notingPeer) Start(t *Turn)                { t.ReadyAfterPong() }
func (notingPeer) Publish(t *Turn, body []byte) { t.Send(Text, body) }
func (n notingPeer) Receive(_ *Turn, op Opcode, payload []byte) error {
	*n.got = append(*n.got, fmt.Sprintf("%d %s", op, payload))
	return nil
}

// noting returns a load of one connection that was opened, and what its peer notes.
func noting(t testing.TB) (*load, *conn, *[]string) {
	t.Helper()
	got := new([]string)
	l := loadOf(t, Options{Dialect: notes{got: got}, Conns: 1, Idle: true})
	return l, l.conns[0], got
}

// loadOf returns a load whose connections were opened, and are ready unless they are to be idle. What they say at first is thrown away.
func loadOf(t testing.TB, o Options) *load {
	t.Helper()
	o.Hubs = []string{"http://127.0.0.1:1"}
	o, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	l := newLoad(o)
	for _, c := range l.conns {
		l.opened(c)
		c.out = c.out[:0]
		if !o.Idle {
			l.setReady(c)
		}
	}
	return l
}

// serverFrame appends a frame as servers send it, made by another library.
func serverFrame(b []byte, op ws.OpCode, fin bool, payload string) []byte {
	w := bytes.NewBuffer(b)
	if err := ws.WriteFrame(w, ws.NewFrame(op, fin, []byte(payload))); err != nil {
		panic(err)
	}
	return w.Bytes()
}

// clientFrame reads a frame, which must be masked, with another library.
func clientFrame(t *testing.T, r io.Reader) (ws.Header, string) {
	t.Helper()
	h, err := ws.ReadHeader(r)
	if err != nil || !h.Masked {
		t.Fatalf("header %+v, error %v", h, err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	ws.Cipher(payload, h.Mask, 0)
	return h, string(payload)
}

// feed gives c a stream in pieces, as an engine does, and returns the error that ended it.
func feed(l *load, c *conn, pieces ...[]byte) error {
	var held []byte
	for _, piece := range pieces {
		held = append(held, piece...)
		taken, need, err := l.receive(c, held, 0)
		if err != nil {
			return err
		}
		if rest := len(held) - taken; need > 0 && need <= rest {
			return fmt.Errorf("a frame of %d bytes was not taken of %d", need, rest)
		}
		held = slices.Clone(held[taken:])
	}
	if len(held) > 0 {
		return fmt.Errorf("%d bytes were not taken", len(held))
	}
	return nil
}

// stream is all that servers send, and what a peer gets of it.
func stream() (b []byte, want []string) {
	lengths := []int{0, 1, 125, 126, 127, 300}
	for _, n := range lengths {
		b = serverFrame(b, ws.OpText, true, strings.Repeat("t", n))
		want = append(want, "1 "+strings.Repeat("t", n))
	}
	b = serverFrame(b, ws.OpPing, true, "p")
	b = serverFrame(b, ws.OpBinary, true, "b")
	b = serverFrame(b, ws.OpText, false, "one ")
	b = serverFrame(b, ws.OpPing, true, "")
	b = serverFrame(b, ws.OpContinuation, false, "two ")
	b = serverFrame(b, ws.OpPong, true, "q")
	b = serverFrame(b, ws.OpContinuation, true, "three")
	b = serverFrame(b, ws.OpBinary, false, "")
	b = serverFrame(b, ws.OpContinuation, true, "")
	return b, append(want, "2 b", "1 one two three", "2 ")
}

// TestReceiveAnySplit parts a stream at each byte, and into single bytes: the peer gets the same.
func TestReceiveAnySplit(t *testing.T) {
	whole, want := stream()
	splits := [][][]byte{{whole}, slices.Collect(slices.Chunk(whole, 1)), slices.Collect(slices.Chunk(whole, 7))}
	for i := range whole {
		splits = append(splits, [][]byte{whole[:i], whole[i:]})
	}
	for _, pieces := range splits {
		l, c, got := noting(t)
		if err := feed(l, c, pieces...); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(*got, want) {
			t.Fatalf("got %q, want %q", *got, want)
		}
		if l.counts.pings != 2 || l.ready != 1 {
			t.Fatalf("%d pings, %d ready", l.counts.pings, l.ready)
		}
		// The pongs, as another library reads them.
		r := bytes.NewReader(c.out)
		for _, payload := range []string{"p", ""} {
			if h, got := clientFrame(t, r); h.OpCode != ws.OpPong || got != payload {
				t.Fatalf("got %+v %q, want the pong %q", h, got, payload)
			}
		}
	}
}

// TestReceiveLong takes frames with each form of the length, also such that are longer than they need be.
func TestReceiveLong(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	b := serverFrame(nil, ws.OpText, true, long[:1<<16-1])
	b = serverFrame(b, ws.OpText, true, long)
	b = append(b, 0x81, 126, 0, 2, 'h', 'i')
	b = append(b, 0x81, 127, 0, 0, 0, 0, 0, 0, 0, 2, 'h', 'o')
	l, c, got := noting(t)
	if err := feed(l, c, slices.Collect(slices.Chunk(b, 5000))...); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 " + long[1:], "1 " + long, "1 hi", "1 ho"}; !slices.Equal(*got, want) {
		t.Fatalf("%d messages", len(*got))
	}
}

// TestReceiveWrong has servers that break RFC 6455, or close.
func TestReceiveWrong(t *testing.T) {
	for _, tt := range []struct{ name, stream, want string }{
		{"reserved bit", "\xc1\x00", "a reserved bit is set"},
		{"masked", "\x81\x80\x00\x00\x00\x00", "masked"},
		{"reserved opcode", "\x83\x00", "reserved opcode 3"},
		{"reserved control opcode", "\x8b\x00", "reserved opcode 11"},
		{"fragmented ping", "\x09\x00", "fragmented or too long"},
		{"long ping", "\x89\x7e\x00\x7e", "fragmented or too long"},
		{"continuation of nothing", "\x80\x01x", "a continuation of nothing"},
		{"message inside a message", "\x01\x01x\x81\x01y", "inside of another"},
		{"top bit of the length", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x01", "a frame of 9223372036854775809 bytes"},
		{"far too long", "\x82\x7f\x00\x00\x00\x00\x7f\x00\x00\x00", "a frame of 2130706432 bytes"},
		{"close", "\x88\x02\x0f\xa8", "the server closed with 4008"},
		{"close without a code", "\x88\x00", "the server closed with 1005"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, c, got := noting(t)
			err := feed(l, c, slices.Collect(slices.Chunk([]byte(tt.stream), 1))...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if len(*got) > 0 {
				t.Errorf("got %q", *got)
			}
		})
	}
}

// TestAppendFrame has another library read what is sent, for lengths around where the form changes.
func TestAppendFrame(t *testing.T) {
	for _, n := range []int{0, 1, 3, 7, 8, 9, 125, 126, 127, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
		payload := strings.Repeat("0123456789", n/10+1)[:n]
		one := appendFrame([]byte("before"), Text, []byte(payload), 0xa1b2c3d4)
		two, f := beginFrame([]byte("before"), Text)
		two = append(two, payload...)
		if two = endFrame(two, f, 0xa1b2c3d4); !bytes.Equal(one, two) {
			t.Fatalf("%d bytes: in pieces it is another frame", n)
		}
		h, got := clientFrame(t, bytes.NewReader(one[len("before"):]))
		if !h.Fin || h.OpCode != ws.OpText || got != payload {
			t.Fatalf("%d bytes: header %+v", n, h)
		}
	}
}

// FuzzReceive splits anything in two: the peer gets the same, and the same is wrong with it.
func FuzzReceive(f *testing.F) {
	whole, _ := stream()
	f.Add(whole, uint16(9))
	f.Add([]byte("\x88\x02\x0f\xa8"), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		if len(b) > 1<<16 {
			return
		}
		split := int(at) % (len(b) + 1)
		l, c, one := noting(t)
		errOne := feed(l, c, b)
		l, c, two := noting(t)
		errTwo := feed(l, c, b[:split], b[split:])
		if !slices.Equal(*one, *two) || fmt.Sprint(errOne) != fmt.Sprint(errTwo) {
			t.Fatalf("split at %d: %q, %v; whole: %q, %v", split, *two, errTwo, *one, errOne)
		}
	})
}

// TestStamp writes and reads stamps.
func TestStamp(t *testing.T) {
	b := make([]byte, MinSize)
	for _, s := range []stamp{
		{}, {publisher: 1, number: 2, at: 3 << timeShift},
		{publisher: maxPublishers - 1, number: maxNumber, at: maxTime},
	} {
		for _, run := range []uint32{0, 1, maxRun} {
			s.put(b, run)
			if got, ok := readStamp(b, runMark(run)); !ok || got != s {
				t.Errorf("%+v is %q, and read as %+v, %v", s, b, got, ok)
			}
			if strings.Trim(string(b), digits) != "" {
				t.Errorf("%q is not made of digits", b)
			}
			if _, ok := readStamp(b, runMark(run+1)); ok {
				t.Errorf("%q counts as one of another run", b)
			}
		}
	}
	stamp{}.put(b, 1)
	mark := binary.LittleEndian.Uint16(b)
	for _, text := range []string{"", string(b[:15]), string(b[:15]) + ".", string(b[:2]) + "é" + string(b[4:])} {
		if s, ok := readStamp([]byte(text), mark); ok {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}
