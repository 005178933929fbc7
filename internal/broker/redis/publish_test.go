package redis

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// list returns publications written as "SENDER>ROOM SENDER>ROOM …", numbered.
func list(words string) (ps []*hub.Publication) {
	for word := range strings.FieldsSeq(words) {
		sender, room, _ := strings.Cut(word, ">")
		ps = append(ps, publication(sender, room, len(ps)))
	}
	return ps
}

// TestPartition pins the hash: it is part of the wire format.
func TestPartition(t *testing.T) {
	for _, c := range []struct {
		room string
		want int
	}{
		{room: "lobby", want: 3},
		{room: "a", want: 12},
		{room: "b", want: 5},
		{room: "live.scores", want: 4},
		{room: "room:1", want: 3},
	} {
		if got := partition(c.room); got != c.want {
			t.Errorf("partition of %q is %d, want %d", c.room, got, c.want)
		}
		hash := fnv.New32a()
		hash.Write([]byte(c.room))
		if want := int(hash.Sum32() % 16); want != c.want {
			t.Errorf("FNV-1a says %d of %q", want, c.room)
		}
	}
	if channels[0] != "rh:live:0" || channels[15] != "rh:live:15" {
		t.Errorf("channels %q", channels)
	}
	seen := map[int]int{}
	for n := range 1600 {
		seen[partition(fmt.Sprintf("room%d", n))]++
	}
	for part := range partitions {
		if seen[part] < 50 || seen[part] > 200 {
			t.Errorf("partition %d has %d of 1600 rooms", part, seen[part])
		}
	}
}

// publication returns number n of sender's publications in room.
func publication(sender, room string, n int) *hub.Publication {
	return brokertest.NewPublication("origin", sender, room, n)
}

// sent decodes a round: the publications in the order in which they arrive. It fails t where an envelope is too large,
// in the wrong channel, or miscounted.
func sent(t *testing.T, r *round) []*hub.Publication {
	t.Helper()
	var all []*hub.Publication
	for _, e := range r.envelopes {
		h, ps, invalid, err := decode(string(e.bytes))
		if err != nil || invalid != 0 || len(ps) != e.count || h.broker != r.header.broker || h.life != r.header.life {
			t.Fatalf("envelope of %d: header %+v, %d publications, %d invalid, %v", e.count, h, len(ps), invalid, err)
		}
		if len(e.bytes) > maxEnvelope && len(ps) > 1 {
			t.Errorf("an envelope of %d publications has %d bytes", len(ps), len(e.bytes))
		}
		for _, p := range ps {
			if partition(p.Room) != e.partition {
				t.Errorf("room %q is in partition %d", p.Room, e.partition)
			}
		}
		all = append(all, ps...)
	}
	return all
}

func TestRound(t *testing.T) {
	large := publication("a", "lobby", 0)
	large.Data = bytes.Repeat([]byte("x"), 100<<10)
	huge := publication("a", "lobby", 0)
	huge.Data = bytes.Repeat([]byte("x"), 2<<20)
	strange := publication("a", "lobby", 2)
	strange.Origin = "another origin"
	for _, c := range []struct {
		name      string
		ps        []*hub.Publication
		taken     int
		envelopes int
	}{
		{name: "one", ps: []*hub.Publication{publication("a", "lobby", 0)}, taken: 1, envelopes: 1},
		{
			name:  "one room, three senders",
			ps:    list("a>lobby b>lobby c>lobby"),
			taken: 3, envelopes: 1,
		},
		{
			name:  "two partitions, a sender each",
			ps:    list("a>a b>b a>a b>b"),
			taken: 4, envelopes: 2,
		},
		{
			name:  "a sender to and fro",
			ps:    list("a>a a>b a>a a>b"),
			taken: 4, envelopes: 4,
		},
		{
			name:  "a sender goes over, another stays",
			ps:    list("a>a a>b b>a a>b"),
			taken: 4, envelopes: 2,
		},
		{name: "full", ps: []*hub.Publication{large, large, large, large, large}, taken: 5, envelopes: 3},
		{name: "a full round", ps: []*hub.Publication{huge, publication("a", "lobby", 1)}, taken: 1, envelopes: 1},
		{name: "two origins", ps: append(list("a>lobby a>lobby"), strange), taken: 3, envelopes: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRound(header{broker: 1, life: 2})
			for range 2 { // its memory is used again
				if got := r.fill(c.ps); got != c.taken || len(r.envelopes) != c.envelopes {
					t.Errorf("%d publications in %d envelopes, want %d in %d", got, len(r.envelopes), c.taken, c.envelopes)
				}
				if got := sent(t, r); len(got) != c.taken {
					t.Errorf("%d publications were sent, want %d", len(got), c.taken)
				}
			}
		})
	}
}

// FuzzRound puts senders and rooms in any order: rooms and senders stay in theirs.
func FuzzRound(f *testing.F) {
	f.Add([]byte("\x00\x11\x22\x33\x01\x10\x44"))
	f.Add(bytes.Repeat([]byte("\x01\x02\x10\x20"), 50))
	f.Fuzz(func(t *testing.T, picks []byte) {
		var ps []*hub.Publication
		for i, pick := range picks {
			ps = append(ps, publication(fmt.Sprintf("sender%d", pick&15), fmt.Sprintf("room%d", pick>>4), i))
		}
		r := newRound(header{broker: 1, life: 2})
		for rest := ps; len(rest) > 0; {
			n := r.fill(rest)
			checkOrder(t, rest[:n], sent(t, r))
			rest = rest[n:]
		}
	})
}

// checkOrder fails t where got is not all of ps, each once, in the order of each room and of each sender.
func checkOrder(t *testing.T, ps, got []*hub.Publication) {
	t.Helper()
	by := func(ps []*hub.Publication) map[string]string {
		orders := map[string]string{}
		for _, p := range ps {
			orders["room "+p.Room] += " " + p.ID
			orders["sender "+p.From.ID] += " " + p.ID
		}
		return orders
	}
	want, orders := by(ps), by(got)
	if len(got) != len(ps) {
		t.Fatalf("%d publications, want %d", len(got), len(ps))
	}
	for of, order := range want {
		if orders[of] != order {
			t.Errorf("order of %s:\n got%s\nwant%s", of, orders[of], order)
		}
	}
}

// TestRoundAllocates fills a round again and again: it takes no memory after the first time.
func TestRoundAllocates(t *testing.T) {
	var ps []*hub.Publication
	for n := range 200 {
		ps = append(ps, publication(fmt.Sprintf("sender%d", n%7), fmt.Sprintf("room%d", n%40), n))
	}
	r := newRound(header{broker: 1, life: 2})
	r.fill(ps)
	if n := testing.AllocsPerRun(100, func() { r.fill(ps) }); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}

func TestFence(t *testing.T) {
	b, err := New(Options{URL: "redis://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(b, 1)
	envelope := func(broker, life uint64, n int) string {
		head := appendHeader(nil, header{broker: broker, life: life, origin: "o"})
		return string(appendPublication(head, publication("a", "lobby", n)))
	}
	other := b.id + 1
	for n, c := range []struct {
		broker, life uint64
		want         bool
	}{
		{broker: other, life: 1, want: true},
		{broker: other, life: 2, want: true},
		{broker: other, life: 1}, // hung in Redis while the next life began
		{broker: other + 1, life: 1, want: true},
		{broker: other, life: 2, want: true},
		{broker: b.id, life: 9}, // its own
	} {
		l.receive(envelope(c.broker, c.life, n))
		got := l.in.Take(nil)
		if len(got) > 1 || len(got) == 1 && got[0].ID != fmt.Sprintf("a/%d", n) {
			t.Fatalf("envelope %d brought %v", n, got)
		}
		if (len(got) == 1) != c.want {
			t.Errorf("life %d of broker %d was let in: %v", c.life, c.broker-b.id, len(got) == 1)
		}
	}
	for broker := range uint64(3 * fenced) {
		b.fence.pass(broker, 1)
	}
	if len(b.fence) > fenced {
		t.Errorf("the fence remembers %d brokers", len(b.fence))
	}
}

func TestReceiveInvalid(t *testing.T) {
	log := &bytes.Buffer{}
	b, err := New(Options{URL: "redis://localhost", Log: newTextLog(log)})
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(b, 1)
	bad := publication("a", "lobby", 0)
	bad.Kind = protocol.JSON
	good := appendPublication(nil, publication("a", "lobby", 1))
	head := appendHeader(nil, header{broker: b.id + 1, life: 1, origin: "o"})
	whole := string(head) + string(appendPublication(nil, bad)) + string(good)
	for _, envelope := range []string{"", "\x02later", "hello", whole, whole[:len(whole)-1]} {
		l.receive(envelope)
	}
	if got := l.in.Take(nil); len(got) != 1 || got[0].ID != "a/1" {
		t.Errorf("came: %v, want the one that is allowed", got)
	}
	// The three that are no envelopes; what is not JSON, twice; and the one that is cut off.
	if got := b.Stats().Dropped[hub.DropInvalid]; got != 6 {
		t.Errorf("%d counted as invalid, want 6", got)
	}
	if lines := bytes.Count(log.Bytes(), []byte("\n")); lines != 1 {
		t.Errorf("%d lines in the log, want 1:\n%s", lines, log)
	}
}
