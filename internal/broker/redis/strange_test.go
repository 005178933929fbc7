//go:build !short

package redis

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestNotRedis talks to servers that accept connections and are no Redis that works.
func TestNotRedis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, says, want string
		hangUp           bool
		timeout          time.Duration
	}{
		{name: "silent", timeout: 200 * time.Millisecond, want: "no answer within 200ms"},
		{name: "hangs up", hangUp: true, want: "it closed the connection"},
		{name: "speaks HTTP", says: "HTTP/1.1 400 Bad Request\r\n\r\n", hangUp: true, want: "unknown message type"},
		{name: "has no room", says: "-ERR max number of clients reached\r\n", hangUp: true, want: "max number of clients reached"},
		{name: "loads its data", says: "-LOADING Redis is loading the dataset in memory\r\n", want: "LOADING Redis is loading"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, c.says, c.hangUp)
			b := start(t, Options{URL: "redis://" + addr, Timeout: c.timeout})
			isolated, _, why := b.Isolated()
			if !isolated || !strings.HasPrefix(why.Error(), "Redis at "+addr+" ") || !strings.Contains(why.Error(), c.want) {
				t.Errorf("isolated: %v: %v\nwant … %s", isolated, why, c.want)
			}
		})
	}
}

// TestOldRedis has a server that does not know HELLO, as those before Redis 6.
func TestOldRedis(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{Config: []string{`rename-command HELLO ""`}})
	b := start(t, Options{URL: server.URL()})
	if isolated, _, why := b.Isolated(); !isolated || !strings.Contains(why.Error(), "Redis 6 or later is needed") {
		t.Errorf("isolated: %v (%v)", isolated, why)
	}
}

// TestHalfSubscribed has a server confirm one channel of sixteen: that is no link.
func TestHalfSubscribed(t *testing.T) {
	t.Parallel()
	const hello = "%1\r\n$5\r\nproto\r\n:3\r\n"
	scripts := [connections][]string{
		{hello, "+PONG\r\n+OK\r\n+QUEUED\r\n+OK\r\n"},
		{hello, ">3\r\n$9\r\nsubscribe\r\n$9\r\nrh:live:0\r\n:1\r\n"},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	defer served.Wait()
	defer l.Close()
	// Ends when the listener is closed; the test waits for it.
	served.Go(func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			// Ends when the broker closed the connection; the test waits for it.
			served.Go(func() {
				defer conn.Close()
				for _, says := range scripts[n%connections] {
					conn.Read(make([]byte, 4096))
					io.WriteString(conn, says)
				}
				io.Copy(io.Discard, conn)
			})
		}
	})
	b := start(t, Options{URL: "redis://" + l.Addr().String(), Timeout: 500 * time.Millisecond})
	defer b.Close()
	if isolated, _, why := b.Isolated(); !isolated || !strings.HasSuffix(why.Error(), "no answer within 500ms") {
		t.Errorf("isolated: %v (%v)", isolated, why)
	}
}

// TestCloseWhileConnecting closes a broker whose Start waits for a server that says nothing.
func TestCloseWhileConnecting(t *testing.T) {
	t.Parallel()
	dialled := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, _ := newBroker(t, Options{URL: "redis://" + l.Addr().String(), Timeout: time.Hour})
	// Ends when the connection ended, which Close sees to.
	go func() {
		defer close(dialled)
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the handshake begins
			t.Error(err)
		}
		go b.Close() // the test's end calls Close too, and waits
		for {
			if _, err := conn.Read(make([]byte, 512)); err != nil {
				return
			}
		}
	}()
	if err := b.Start(t.Context(), brokertest.NewReceiver(t)); err == nil {
		t.Error("a closed broker starts")
	}
	<-dialled
}

// serve accepts connections until the test's end, says something on each after it was asked, and returns its address.
func serve(t *testing.T, says string, hangUp bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	// Ends when the listener is closed; the test's end waits for it.
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			// Before the test's end: the broker is closed first, and the other side then ends what is left open here.
			defer conn.Close()
			conn.Read(make([]byte, 512)) // what is left unread would make a reset of the close
			io.WriteString(conn, says)
			if hangUp {
				conn.Close()
			}
		}
	}()
	return l.Addr().String()
}
