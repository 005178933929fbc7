package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// closeTimeout is how long the hub has to answer when the client leaves.
const closeTimeout = time.Second

// maxRetry bounds what a hub may ask for.
const maxRetry = time.Minute

// errNoPong is why a connection was given up.
var errNoPong = errors.New("the hub does not answer pings")

// link is one connection to a hub, from its welcome to its end.
type link struct {
	// immutable
	client *Client
	conn   *websocket.Conn
	// out has publications: sent by publications, received by write, never closed. It holds 64, so that a burst waits
	// for no switch.
	out chan []byte
	// rooms is full while rooms are to be joined or left: sent by update, received by write, never closed. One slot, as
	// write looks at all rooms.
	rooms chan struct{}
	gone  chan struct{} // closed by fail; received by publications
	// renewed is full when the hub has taken another token: sent by receive, received by renew, never closed. One slot.
	renewed chan struct{}

	// set by greet, immutable afterwards
	who      protocol.Credentials
	hub      string
	isolated bool

	// owned by write
	pings int // frames of type ping that were sent

	// owned by receive; all but the first are read when it has ended
	pongs     int           // their answers
	bye       bool          // the hub is going away
	retry     time.Duration // after which the hub wants us back; 0 where it did not say
	complaint *Refused      // what the hub said last that was about no room and no message

	// guarded by mu
	mu     sync.Mutex
	failed bool
	calls  map[string]call // who waits for the answer to a publication, by its key
}

func newLink(c *Client, conn *websocket.Conn) *link {
	return &link{
		client:  c,
		conn:    conn,
		out:     make(chan []byte, 64),
		rooms:   make(chan struct{}, 1),
		gone:    make(chan struct{}),
		renewed: make(chan struct{}, 1),
		calls:   make(map[string]call),
	}
}

// run serves the connection until it ends, and returns why. When ctx is done it leaves in order.
func (l *link) run(ctx context.Context) error {
	// While open lasts the connection is read: a little longer than ctx, for the hub's answer to our close frame.
	open, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)

	var goroutines sync.WaitGroup // they end with open; waited for below
	goroutines.Go(func() { l.write(ctx, open) })
	goroutines.Go(func() { l.watch(ctx, open, cut) })
	if l.client.options.token != nil {
		goroutines.Go(func() { l.renew(ctx, open) })
	}
	err := l.receive(open)
	why := context.Cause(open)
	cut(err)
	l.conn.CloseNow()
	goroutines.Wait()

	_, closed := errors.AsType[*CloseError](err)
	switch {
	case ctx.Err() != nil:
		return ErrClosed
	case hasCode(err, protocol.CodeBadToken) && l.complaint != nil:
		return l.complaint // which says more
	case closed || why == nil:
		return err
	default:
		return why
	}
}

// receive takes in frames until the connection ends, and returns why it did.
func (l *link) receive(open context.Context) error {
	for {
		f, err := l.read(open)
		if err != nil {
			return err
		}
		l.handle(f)
	}
}

// read returns the next frame. What is no frame is passed over, as later versions of the protocol may have more.
func (l *link) read(ctx context.Context) (*protocol.Frame, error) {
	for {
		kind, text, err := l.conn.Read(ctx)
		if closed, ok := errors.AsType[websocket.CloseError](err); ok {
			return nil, &CloseError{Code: protocol.Code(closed.Code), Reason: closed.Reason}
		}
		if errors.Is(err, io.EOF) {
			return nil, errors.New("connection lost: the other end closed it without a close frame")
		}
		if err != nil {
			return nil, fmt.Errorf("connection lost: %w", plain(err))
		}
		if kind != websocket.MessageText {
			continue
		}
		f, err := protocol.DecodeFrame(text)
		if err != nil {
			l.client.options.log.Warn("frame from the hub ignored", "err", err)
			continue
		}
		l.trace("received", f.Type, text)
		return f, nil
	}
}

// handle does what f asks for. It does not wait.
func (l *link) handle(f *protocol.Frame) {
	c := l.client
	switch f.Type {
	case protocol.TypeMessage, protocol.TypeAck, protocol.TypeSubscribed, protocol.TypeOrphans, protocol.TypeReset,
		protocol.TypeHistory, protocol.TypeGap:
		if err := l.handleStream(f); err != nil {
			c.options.log.Warn("frame from the hub ignored", "err", err)
		}
	case protocol.TypeError:
		refused := &Refused{Code: f.Code, Message: f.Message, Fix: f.Fix}
		switch {
		case f.Key != "":
			l.answer(f.Key, result{err: refused})
		case f.Room != "":
			c.refuse(f.Room, l.pongs, refused)
		default:
			l.complaint = refused
			c.options.log.Warn("the hub refused a frame", "err", refused)
		}
	case protocol.TypeThere:
		c.enter(f, l.pongs)
	case protocol.TypeJoined, protocol.TypeUpdated, protocol.TypeLeft:
		c.changePeople(f, l.pongs)
	case protocol.TypeWelcome:
		l.welcomed(f)
	case protocol.TypePong:
		l.pongs++
	case protocol.TypeStatus:
		if f.Isolated != nil {
			c.setIsolated(*f.Isolated)
		}
	case protocol.TypeBye:
		l.bye = true
		if f.Retry != nil && *f.Retry > 0 {
			l.retry = time.Duration(min(*f.Retry, maxRetry.Milliseconds())) * time.Millisecond
		}
	}
}

// write writes what is to be written until open ends, and the close frame when ctx is done. It does not end the
// connection where writing fails: the hub may have said why it closed, and receive gets to that.
func (l *link) write(ctx, open context.Context) {
	told := make(map[string]membership) // those for which the hub was sent a join, on this connection
	for {
		var frames [][]byte
		select {
		case frame := <-l.out:
			// What the hub answers to a publication is part of the room's stream if the client is in the room: so a
			// room that is joined again is joined before what is published in it again.
			select {
			case <-l.rooms:
				frames = l.client.memberships(l, told)
			default:
			}
			frames = append(frames, frame)
		case <-l.rooms:
			frames = l.client.memberships(l, told)
		case <-ctx.Done():
			l.conn.Close(websocket.StatusNormalClosure, "")
			return
		case <-open.Done():
			return
		}
		for _, frame := range frames {
			if l.send(open, frame) != nil {
				return
			}
		}
	}
}

// send writes one frame.
func (l *link) send(ctx context.Context, frame []byte) error {
	if l.client.traces() {
		if f, err := protocol.DecodeFrame(frame); err == nil {
			l.trace("sent", f.Type, frame)
		}
	}
	return l.conn.Write(ctx, websocket.MessageText, frame)
}

// update has write join and leave rooms as the client's now are.
func (l *link) update() {
	select {
	case l.rooms <- struct{}{}:
	default:
	}
}

// watch pings the hub until open ends, and cuts the connection where that is not answered in time, be it a ping or,
// when ctx is done, our close frame.
func (l *link) watch(ctx, open context.Context, cut context.CancelCauseFunc) {
	tick := time.NewTicker(l.client.options.pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !l.ping(ctx, open) {
				cut(errNoPong)
				return
			}
		case <-ctx.Done():
			if sleep(open, closeTimeout) {
				cut(ErrClosed)
			}
			return
		case <-open.Done():
			return
		}
	}
}

// ping reports whether the hub answers a ping. Where the connection ends meanwhile it is not for ping to say why.
func (l *link) ping(ctx, open context.Context) bool {
	within, cancel := context.WithTimeout(ctx, l.client.options.pongTimeout)
	defer cancel()
	if l.conn.Ping(within) == nil {
		return true
	}
	select {
	case <-within.Done():
		return ctx.Err() != nil
	case <-open.Done():
		return true
	}
}
