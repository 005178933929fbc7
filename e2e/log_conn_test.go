package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

const (
	logDialTimeout  = 10 * time.Second
	logWriteTimeout = 10 * time.Second
)

// logConn is one WebSocket of a client of log rooms.
type logConn struct {
	addr string
	tcp  *net.TCPConn
	ws   *websocket.Conn
	in   chan *protocol.Frame // from read to the client; closed by read at the end
	over chan struct{}        // closed by close
	err  error                // why in was closed; set before
}

// dialLog opens a connection, or returns nil. What reads from it ends with it, and is added to work.
func dialLog(addr string, work *sync.WaitGroup) *logConn {
	c := &logConn{addr: addr, in: make(chan *protocol.Frame, 256), over: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), logDialTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, to)
		if err == nil {
			c.tcp = conn.(*net.TCPConn)
		}
		return conn, err
	}}
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{protocol.SubprotocolV1},
	})
	if err != nil {
		return nil
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	work.Go(c.read)
	return c
}

// read takes in all that comes. It ends with the connection.
func (c *logConn) read() {
	defer close(c.in)
	for {
		_, data, err := c.ws.Read(context.Background())
		if err != nil {
			c.err = err
			return
		}
		f, err := protocol.DecodeFrame(data)
		if err != nil {
			c.err = fmt.Errorf("frame %q: %w", data, err)
			return
		}
		select {
		case c.in <- f:
		case <-c.over:
			return
		}
	}
}

// why returns how the connection ended: the close code, or what went wrong. It is for after in was closed.
func (c *logConn) why() string {
	if e, ok := errors.AsType[websocket.CloseError](c.err); ok {
		return fmt.Sprintf("closed with %d %s", e.Code, e.Reason)
	}
	return fmt.Sprint(c.err)
}

func (c *logConn) write(f *protocol.Frame) error {
	ctx, cancel := context.WithTimeout(context.Background(), logWriteTimeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, f.Encode())
}

// close ends the connection at once, with a reset of TCP where rst is set. What came and was not taken in is lost.
func (c *logConn) close(rst bool) {
	close(c.over)
	if rst {
		_ = c.tcp.SetLinger(0) // it is closed already, or will be now
		c.tcp.Close()
	}
	c.ws.CloseNow()
}
