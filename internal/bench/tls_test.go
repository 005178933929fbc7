package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/tlstest"
	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// startTLSHub starts a real hub that speaks TLS, and returns how to reach it and what stops it.
func startTLSHub(t *testing.T) (url string, config *tls.Config, stop func()) {
	t.Helper()
	cert, roots := tlstest.Certificate(t)
	s := httptest.NewUnstartedServer(nil)
	s.Config.Handler, stop = startHub(t, hub.Options{
		Name: "hub", Broker: memory.NewBus(memory.Options{}).Broker(), Logs: memory.NewLogs(memory.LogOptions{}).Log(),
	})
	s.Listener = ws.ListenTLS(s.Listener, &tls.Config{
		Certificates: []tls.Certificate{cert}, DynamicRecordSizingDisabled: true,
	})
	s.Start()
	t.Cleanup(s.Close)
	return "https://" + s.Listener.Addr().String(), &tls.Config{RootCAs: roots}, stop
}

// watched is a dialect whose peers call publishing for each message that they publish.
type watched struct {
	Dialect
	publishing func()
}

func (w watched) Peer(room string) Peer { return watchedPeer{w.Dialect.Peer(room), w.publishing} }

type watchedPeer struct {
	Peer
	publishing func()
}

func (p watchedPeer) Publish(t *Turn, body []byte) {
	p.publishing()
	p.Peer.Publish(t, body)
}

// TestTLSHub loads a real hub over TLS: nothing is lost, and there are not more goroutines for more connections. Those of
// the hub, which are in this process, are as many for any number too.
func TestTLSHub(t *testing.T) {
	url, config, _ := startTLSHub(t)
	for name, dialect := range map[string]Dialect{"plain": Plain{}, "v1": V1{}} {
		t.Run(name, func(t *testing.T) {
			fewest := map[int]int{}
			for _, conns := range []int{10, 300} {
				fewest[conns] = 1 << 30
				look := watched{dialect, func() { fewest[conns] = min(fewest[conns], runtime.NumGoroutine()) }}
				r := runTest(t, Options{Hubs: []string{url}, TLS: config, Dialect: look, Conns: conns, Publishers: 10, Rooms: 5,
					Room: name, Rate: 500, Duration: 200 * time.Millisecond, Drain: patience})
				l := r.Load
				if l.PublishedTotal != 100 || l.Expected != uint64(100*(conns/5-1)) {
					t.Errorf("%d connections: %d published, %d expected", conns, l.PublishedTotal, l.Expected)
				}
				if l.Lost+l.Duplicates+l.OutOfOrder+l.Echoed+l.Strange+l.Unsent > 0 || r.Closed.Count > 0 {
					t.Errorf("%d connections: %+v, ended %+v", conns, l, r.Closed)
				}
			}
			if runtime.GOOS == "linux" && fewest[300] > fewest[10]+20 {
				t.Errorf("%d goroutines with 10 connections, %d with 300", fewest[10], fewest[300])
			}
		})
	}
}

// TestTLSPieces has records and frames arrive in pieces, in both directions: long ones, of which a record holds a part,
// and short ones, of which it holds many.
func TestTLSPieces(t *testing.T) {
	url, config, _ := startTLSHub(t)
	url = "https://" + startChopper(t, strings.TrimPrefix(url, "https://"))
	for name, o := range map[string]Options{
		"long": {Size: 60_000, Rate: 200}, "short": {Size: 16, Window: 100},
	} {
		for engine, goroutines := range engines {
			t.Run(name+", "+engine, func(t *testing.T) {
				o.Hubs, o.TLS, o.Goroutines = []string{url}, config, goroutines
				o.Conns, o.Publishers, o.Duration, o.Drain, o.GiveUp = 4, 2, 100*time.Millisecond, patience, patience
				l := runTest(t, o).Load
				if l.PublishedTotal < 20 || l.Delivered != 3*l.PublishedTotal || l.Lost+l.Duplicates+l.OutOfOrder+l.Strange > 0 {
					t.Errorf("%+v", l)
				}
			})
		}
	}
}

// startChopper starts what passes bytes on to a server, in small pieces, and returns its address.
func startChopper(t *testing.T, server string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	pass := func(to, from *net.TCPConn) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 777))
		_ = to.CloseWrite()
	}
	all.Go(func() { // until the listener is closed
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { // until both have closed
				defer client.Close()
				onward, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer onward.Close()
				var back sync.WaitGroup
				back.Go(func() { pass(client.(*net.TCPConn), onward.(*net.TCPConn)) })
				pass(onward.(*net.TCPConn), client.(*net.TCPConn))
				back.Wait()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// TestTLSEnded has a hub over TLS that stops while it is measured.
func TestTLSEnded(t *testing.T) {
	url, config, stop := startTLSHub(t)
	var once sync.Once
	var stopped sync.WaitGroup
	look := watched{Plain{}, func() { once.Do(func() { stopped.Go(stop) }) }} // ends when all have been told
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := Run(ctx, Options{Hubs: []string{url}, TLS: config, Dialect: look, Conns: 20, Rate: 400, Duration: time.Hour})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "all connections ended") {
		t.Errorf("error %v", err)
	}
	stopped.Wait()
}
