package tlsfd

import (
	"crypto/tls"
	"io"
	"net"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// Listen returns a listener whose connections speak TLS as configured, and of which Detach takes the descriptor.
func Listen(l net.Listener, config *tls.Config) net.Listener { return listener{l, config} }

// Client returns a connection that speaks TLS as configured with the server at the other end of nc, and of which Detach
// takes the descriptor.
func Client(nc net.Conn, config *tls.Config) *tls.Conn {
	return tls.Client(&wire{Conn: nc, fd: -1}, config)
}

type listener struct {
	net.Listener
	config *tls.Config
}

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(&wire{Conn: nc, fd: -1}, l.config), nil
}

// wire is what TLS reads and writes: a connection, and from Detach on a bare descriptor. Package crypto/tls goes on after
// an error of a read whose Temporary says true, with what it has of a record until then (TestGoesOn pins that); of a
// write it would not, so a write here takes everything.
type wire struct {
	net.Conn        // until Detach
	fd       int    // from then on; before, -1
	waits    []byte // what the socket did not take yet
	drained  bool   // the last read got less than it had room for, so that the next would get nothing
}

func (w *wire) Read(b []byte) (int, error) {
	if w.fd < 0 {
		return w.Conn.Read(b)
	}
	if w.drained { // and if something has come since, the poller says so again
		w.drained = false
		return 0, again
	}
	n, err := epoll.Read(w.fd, b)
	switch {
	case err == epoll.ErrAgain:
		return 0, again
	case err != nil:
		return 0, readError{err}
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	w.drained = n < len(b)
	return n, nil
}

// readError is what the socket says, as crypto/tls wants it: a net.Error.
type readError struct{ error }

func (e readError) Unwrap() error   { return e.error }
func (e readError) Timeout() bool   { return false }
func (e readError) Temporary() bool { return e.error == epoll.ErrAgain }

var again error = readError{epoll.ErrAgain}

// Write takes all of b: what the socket does not take waits for push.
func (w *wire) Write(b []byte) (int, error) {
	if w.fd < 0 {
		return w.Conn.Write(b)
	}
	n := 0
	if len(w.waits) == 0 {
		var err error
		if n, err = epoll.Write(w.fd, b); err != nil && err != epoll.ErrAgain {
			return 0, err
		}
	}
	w.waits = append(w.waits, b[n:]...)
	return len(b), nil
}

// push writes what waits, and returns epoll.ErrAgain where some still does.
func (w *wire) push() error {
	for len(w.waits) > 0 {
		n, err := epoll.Write(w.fd, w.waits)
		if err != nil {
			return err
		}
		w.waits = w.waits[n:]
	}
	w.waits = nil
	return nil
}
