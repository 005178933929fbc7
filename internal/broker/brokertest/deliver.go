package brokertest

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// testKinds sends data of each kind and size, and looks at every field of what arrives.
func testKinds(t *testing.T, f Factory) {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	longest := strings.Repeat("r", protocol.MaxRoomName)
	messages := []protocol.Message{
		{Room: "lobby", Kind: protocol.Text, Data: []byte("hello")},
		{Room: "lobby", Kind: protocol.Text},
		{Room: "lobby", Kind: protocol.Text, Data: []byte("é 字 👋 \x00\r\n")},
		{Room: "live.a_b:c-d", Kind: protocol.JSON, Data: []byte(`{"a":[1,null,"é"]}`)},
		{Room: longest, Kind: protocol.JSON, Data: []byte(" 1\n")},
		{Room: "lobby", Kind: protocol.Binary},
		{Room: "lobby", Kind: protocol.Binary, Data: everyByte},
		{Room: "lobby", Kind: protocol.Binary, Data: bytes.Repeat(everyByte, 256)},
		{Room: "lobby", Kind: protocol.Binary, Data: bytes.Repeat(everyByte, 4096)},
		{Room: "lobby", Kind: protocol.Text, Hub: "hub \x00 \xff", From: protocol.Client{Name: "Zoë \xff"}},
	}
	for i := range messages { // of one sender, so that they arrive in this order
		m := &messages[i]
		m.ID, m.From.ID = fmt.Sprintf("client1/é%d", i), "client1"
		m.Time = time.Date(2026, 11, 23, 12, 30, 15, 123e6, time.UTC)
	}
	c, receivers := start(t, f, 3, 0)
	for _, b := range c.Brokers {
		Want(t, b, "live.a_b:c-d", longest)
	}
	for _, m := range messages {
		c.Brokers[0].Publish(&hub.Publication{Message: m, Origin: "origin1"})
	}
	for _, r := range receivers[1:] {
		r.Await("every message", func() bool { return len(r.Got()) >= len(messages) })
		for i, p := range r.Got() {
			want := messages[i]
			if !bytes.Equal(p.Data, want.Data) {
				t.Errorf("message %d: data of %d bytes differs from what was sent", i, len(p.Data))
			}
			if !p.Time.Equal(want.Time) {
				t.Errorf("message %d: time %v, want %v", i, p.Time, want.Time)
			}
			got := p.Message
			got.Data, got.Time = want.Data, want.Time
			if !reflect.DeepEqual(got, want) || p.Origin != "origin1" {
				t.Errorf("message %d:\n got %q of %q\nwant %q", i, got, p.Origin, want)
			}
		}
	}
}

// testOrder has several goroutines publish at each broker, each in several rooms.
func testOrder(t *testing.T, f Factory) {
	const brokers, publishers, rooms, each = 3, 3, 7, 400
	c, receivers := start(t, f, brokers, 0)
	sender := func(broker, publisher int) string { return fmt.Sprintf("sender%d-%d", broker, publisher) }
	var wg sync.WaitGroup
	for i, b := range c.Brokers {
		for j := range publishers {
			// Ends when it published all; the test waits for it.
			wg.Go(func() {
				for n := range each {
					// In turns one room for a while, and each in its turn.
					room := fmt.Sprintf("room%d", n%rooms)
					if n/100%2 == 0 {
						room = fmt.Sprintf("room%d", n/100)
					}
					b.Publish(NewPublication(fmt.Sprintf("origin%d", i), sender(i, j), room, n))
				}
			})
		}
	}
	wg.Wait()
	for i, r := range receivers {
		others := (brokers - 1) * publishers * each
		foreign := func() int {
			n := 0
			for _, p := range r.Got() {
				if p.Origin != fmt.Sprintf("origin%d", i) {
					n++
				}
			}
			return n
		}
		r.Await("everything of the others", func() bool { return foreign() >= others })
		got := r.Got()
		for k := range brokers {
			for j := range publishers {
				if k == i { // one's own may come back, but once
					checkIncreasing(t, got, sender(k, j))
				} else {
					CheckSequence(t, got, sender(k, j), 0, each-1)
				}
			}
		}
		if dropped := c.Brokers[i].Stats().Dropped; len(dropped) != 0 {
			t.Errorf("broker %d dropped %v", i, dropped)
		}
	}
}

// testSameName has two hubs of one configured name: each gets what the other published.
func testSameName(t *testing.T, f Factory) {
	c, receivers := start(t, f, 2, 0)
	for i, b := range c.Brokers { // NewPublication gives all the same hub
		b.Publish(NewPublication(fmt.Sprintf("origin%d", i), fmt.Sprintf("sender%d", i), "lobby", 0))
	}
	for i, r := range receivers {
		other := 1 - i
		r.AwaitID(fmt.Sprintf("sender%d/0", other))
		CheckSequence(t, r.Got(), fmt.Sprintf("sender%d", other), 0, 0)
	}
}

// testSlowReceiver holds up one receiver: publishing goes on, the others get everything that was taken, and what is
// lost is counted.
func testSlowReceiver(t *testing.T, f Factory) {
	const queueBytes = 128 << 10
	c, receivers := start(t, f, 3, queueBytes)
	receivers[1].Stop()
	slow, fast := c.Brokers[1], c.Brokers[2]

	// As much as the slow one may hold, several times; and until it dropped some.
	published := 0
	deadline := time.Now().Add(patience)
	for published < 5000 || slow.Stats().Dropped[hub.DropBrokerQueue] == 0 {
		began := time.Now()
		c.Brokers[0].Publish(NewPublication("origin0", "sender", "lobby", published))
		if took := time.Since(began); took > patience/2 {
			t.Fatalf("Publish took %v", took)
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d publications the slow receiver's broker dropped none", published)
		}
		published++
	}
	receivers[1].Go()

	lost := func(b hub.Broker) int { return int(b.Stats().Dropped[hub.DropBrokerQueue]) }
	for i, r := range receivers[1:] {
		b := []hub.Broker{slow, fast}[i]
		r.Await("what was not dropped", func() bool { return len(r.Got())+lost(b)+lost(c.Brokers[0]) >= published })
		came := checkIncreasing(t, r.Got(), "sender")
		if came+lost(b)+lost(c.Brokers[0]) != published {
			t.Errorf("%d came and %d were dropped here, %d by the publisher: not the %d that were published",
				came, lost(b), lost(c.Brokers[0]), published)
		}
	}
}
