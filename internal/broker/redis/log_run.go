package redis

import (
	"context"
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// run is the log's goroutine: it serves one link after the other, beginning with l, which is nil where the first
// attempt failed for the reason why. It ends at Close.
func (g *Log) run(r hub.LogReceiver, l *logLink, why error) {
	defer close(g.done)
	pause := minPause
	var ok bool
	for {
		lost := l != nil
		if lost {
			began := time.Now()
			why = g.serve(r, l)
			if g.closing.Err() != nil {
				return
			}
			if time.Since(began) > stable {
				pause = minPause
			}
			r.SetAway(true, why)
		}
		if l, ok = g.reconnect(why, &pause); !ok {
			return
		}
		if lost {
			g.counts.reconnects.Add(1)
		}
		g.tell(r, l, nil)
	}
}

// tell has requests use l and tells the receiver; where l is nil, that the log is away, and why.
func (g *Log) tell(r hub.LogReceiver, l *logLink, why error) {
	r.SetAway(l == nil, why) // before anything can be confirmed, or asked for
	g.rooms.restart()        // before a room can be taken for one that l is subscribed to
	g.use(l)
	if l != nil {
		l.start()
	}
}

// serve hands what l brings to the receiver until l is over, and returns why. All that was asked of l is answered then.
func (g *Log) serve(r hub.LogReceiver, l *logLink) (why error) {
	var taken []logEvent
	deliver := func() {
		taken = l.in.Take(taken)
		for _, e := range taken {
			if e.missed {
				g.rooms.forgive(e.room)
			}
			e.tell(r)
		}
	}
	closing := g.closing.Done()
	var late <-chan time.Time
	for l.ctx.Err() == nil {
		select {
		case <-l.in.Ready():
			deliver()
		case <-l.ctx.Done():
		case <-closing:
			closing = nil
			close(l.drain)
			late = time.After(g.opts.Timeout)
		case <-late:
			l.fail(errClosed)
		}
	}
	why = g.explain(context.Cause(l.ctx))
	g.use(nil)
	g.finish(l)
	deliver()
	return why
}

// finish closes l and answers what was not sent.
func (g *Log) finish(l *logLink) {
	l.close()
	for _, r := range l.writes.Take(nil) {
		r.giveUp()
	}
	for _, r := range l.reads.Take(nil) {
		r.giveUp()
	}
}

// reconnect makes links until there is one, or until Close.
func (g *Log) reconnect(why error, pause *time.Duration) (*logLink, bool) {
	r := retry[*logLink]{
		closing: g.closing, connect: g.connect, discard: g.finish, log: g.log,
		wait:  func(d time.Duration) bool { return waitUnless(g.closing, d) },
		away:  "the logs of rooms are away",
		back:  "the logs of rooms are back",
		still: "the logs of rooms are still away, trying again",
	}
	return r.again(why, pause)
}

// connect makes a link that is not started, in at most Options.Timeout.
func (g *Log) connect(ctx context.Context) (*logLink, error) {
	l := newLogLink(g)
	if err := open(ctx, g.opts.Timeout, l); err != nil {
		return nil, g.explain(err)
	}
	return l, nil
}

// explain adds what a log has beyond a broker: durability, and the version of Redis.
func (g *Log) explain(err error) error {
	if errors.Is(err, hub.ErrNotDurable) || errors.Is(err, errOld) {
		return &reason{text: "Redis at " + g.endpoint.addr + ": " + err.Error(), err: err}
	}
	return g.server.explain(err)
}
