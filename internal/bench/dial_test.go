package bench

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestTLS loads a server over TLS, and one whose certificate nobody knows.
func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(&relay{rooms: map[string]map[*websocket.Conn]bool{}})
	defer s.Close()
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake is to fail
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	o := Options{
		Hubs: []string{s.URL}, Conns: 5, Publishers: 2, Rate: 400, Duration: 100 * time.Millisecond, Size: 20_000, Drain: patience,
		TLS: &tls.Config{RootCAs: roots},
	}
	result := runTest(t, o)
	if l := result.Load; l.PublishedTotal != 40 || l.Delivered != 160 || l.Lost+l.Duplicates+l.OutOfOrder+l.Strange != 0 {
		t.Errorf("%+v", l)
	}
	o.TLS = nil
	_, err := Run(t.Context(), o)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

// TestSources goes over to another source address where one has had its share, on Linux.
func TestSources(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // other systems have 127.0.0.1 alone
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for n, want := range map[uint32]string{0: "127.0.0.1", perSource - 2: "127.0.0.1", perSource - 1: "127.0.0.2", 3 * perSource: "127.0.0.4"} {
		d, err := newDialer(&Options{Hubs: []string{"http://" + l.Addr().String()}})
		if err != nil {
			t.Fatal(err)
		}
		d.targets[0].sources.Store(n)
		nc, err := d.targets[0].dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := net.SplitHostPort(nc.LocalAddr().String()); got != want {
			t.Errorf("connection %d comes from %s, want %s", n+1, got, want)
		}
		_ = nc.Close()
	}
}

// TestDealing deals connections over rooms and hubs.
func TestDealing(t *testing.T) {
	for _, tt := range []struct{ rooms, hubs, conns int }{{1, 2, 10}, {2, 2, 8}, {3, 2, 12}, {10, 3, 10}, {4, 4, 64}} {
		o := Options{Rooms: tt.rooms, Hubs: make([]string, tt.hubs)}
		ofHub, ofBoth := map[int]int{}, map[[2]int]int{}
		for i := range tt.conns {
			ofHub[o.hubOf(i)]++
			ofBoth[[2]int{o.roomOf(i), o.hubOf(i)}]++
		}
		for hub := range tt.hubs {
			if n := ofHub[hub]; n < tt.conns/tt.hubs || n > tt.conns/tt.hubs+1 {
				t.Errorf("%+v: %d connections at hub %d", tt, n, hub)
			}
			for room := range tt.rooms {
				if perRoom := tt.conns / tt.rooms; perRoom >= tt.hubs && ofBoth[[2]int{room, hub}] == 0 {
					t.Errorf("%+v: none of room %d is at hub %d", tt, room, hub)
				}
			}
		}
	}
}
