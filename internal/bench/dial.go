package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/address"
	"github.com/soumya-codes/realtime-hub/internal/epoll/tlsfd"
)

// dialer opens connections. Its methods may be called by several goroutines at once.
type dialer struct {
	opts    *Options
	targets []target // by hub
}

// target is a server.
type target struct {
	addr     string // host:port to connect to
	host     string // as it stands in the request
	path     string // in front of a dialect's
	tls      *tls.Config
	loopback bool // of IPv4: other source addresses than 127.0.0.1 do
	sources  atomic.Uint32
}

// perSource is how many connections one source address has: it has about 28,000 ports, some of which wait to be free.
const perSource = 10_000

func newDialer(o *Options) (*dialer, error) {
	d := &dialer{opts: o, targets: make([]target, len(o.Hubs))}
	for i, url := range o.Hubs {
		hub, err := address.ParseHub(url)
		if err != nil {
			return nil, err
		}
		t := &d.targets[i]
		t.host, t.path = hub.Host.String(), hub.Path
		if t.addr = t.host; hub.Host.Port == "" {
			port := "80"
			if hub.Secure {
				port = "443"
			}
			t.addr = net.JoinHostPort(hub.Host.Name, port)
		}
		if hub.Secure {
			t.tls = o.TLS.Clone()
			if t.tls == nil {
				t.tls = new(tls.Config)
			}
			if t.tls.ServerName == "" {
				t.tls.ServerName = hub.Host.Name
			}
			t.tls.NextProtos = []string{"http/1.1"}
			t.tls.DynamicRecordSizingDisabled = true // each record would be a write of its own
		}
		ip, err := netip.ParseAddr(hub.Host.Name)
		t.loopback = err == nil && ip.Is4() && ip.IsLoopback() || hub.Host.Name == "localhost"
	}
	return d, nil
}

// open opens connection number n, the handshake included. early is what the server has sent behind it.
func (d *dialer) open(ctx context.Context, n int) (_ net.Conn, early []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.ConnectTimeout)
	defer cancel()
	t := &d.targets[d.opts.hubOf(n)]
	nc, err := t.dial(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	deadline, _ := ctx.Deadline()
	_ = nc.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Now()) }) // so that a read ends with ctx
	defer stop()
	early, err = handshake(nc, t, d.opts.Dialect.Request(d.opts.roomName(d.opts.roomOf(n))))
	if err != nil {
		_ = nc.Close()
		if !errors.Is(err, ErrRefused) {
			err = fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		return nil, nil, err
	}
	stop()
	_ = nc.SetDeadline(time.Time{})
	return nc, early, nil
}

// dial connects, from several source addresses where that is possible: 127.0.0.0/8 is this machine on Linux.
func (t *target) dial(ctx context.Context) (nc net.Conn, err error) {
	const tries = 4
	for range tries {
		dialer := new(net.Dialer)
		if n := t.sources.Add(1) / perSource; t.loopback && runtime.GOOS == "linux" && n > 0 {
			dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n%200))}
		}
		nc, err = dialer.DialContext(ctx, "tcp", t.addr)
		if err == nil || !t.loopback || !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		t.sources.Add(perSource) // its ports are used up
	}
	if err != nil || t.tls == nil {
		return nc, err
	}
	secure := tlsfd.Client(nc, t.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return secure, nil
}

// handshake makes the opening handshake (RFC 6455 §4.1), and returns what came behind it.
func handshake(nc net.Conn, t *target, r Request) (early []byte, err error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", t.path, r.Path, t.host, key)
	if r.Subprotocol != "" {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", r.Subprotocol)
	}
	b.WriteString(r.Header)
	b.WriteString("\r\n")
	if _, err := io.WriteString(nc, b.String()); err != nil {
		return nil, err
	}
	reader := readers.Get().(*bufio.Reader)
	reader.Reset(nc)
	defer func() {
		reader.Reset(nil)
		readers.Put(reader)
	}()
	response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, err
	}
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return nil, fmt.Errorf("%w: %s", ErrRefused, response.Status)
	case code != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("no WebSocket there: it answers %s", response.Status)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if response.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, errors.New("the answer to the handshake is not one")
	}
	if got := response.Header.Get("Sec-WebSocket-Protocol"); r.Subprotocol != "" && got != r.Subprotocol {
		return nil, fmt.Errorf("it does not speak %s", r.Subprotocol)
	}
	early = make([]byte, reader.Buffered())
	_, err = io.ReadFull(reader, early)
	return early, err
}

// readers are for answers to handshakes, of which few are read at the same time.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
