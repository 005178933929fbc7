package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// run is the log's goroutine: it serves one link after the other, beginning with l, which is nil where the first
// attempt failed for the reason why. It ends at Close.
func (g *Log) run(r hub.LogReceiver, l *logLink, why error) {
	defer close(g.done)
	pause := minPause
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
		if l = g.reconnect(why, &pause); l == nil {
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

// reconnect tries until there is a link, which it returns, or until Close, when it returns nil. It pauses before each
// attempt, and leaves in pause what the next would be.
func (g *Log) reconnect(why error, pause *time.Duration) *logLink {
	began := time.Now()
	logged := began
	g.log.Warn("the logs of rooms are away", "why", why)
	for {
		timer := time.NewTimer(*pause/2 + rand.N(*pause/2))
		select {
		case <-timer.C:
		case <-g.closing.Done():
			timer.Stop()
			return nil
		}
		*pause = min(2**pause, maxPause)
		l, err := g.connect(g.closing)
		switch {
		case g.closing.Err() != nil:
			if l != nil {
				g.finish(l)
			}
			return nil
		case err == nil:
			g.log.Info("the logs of rooms are back", "after", time.Since(began).Round(time.Millisecond))
			return l
		case time.Since(logged) >= reminder:
			logged = time.Now()
			g.log.Warn("the logs of rooms are still away, trying again",
				"since", time.Since(began).Round(time.Second), "why", err)
		}
	}
}

// connect makes a link that is not started, in at most Options.Timeout.
func (g *Log) connect(ctx context.Context) (*logLink, error) {
	l := newLogLink(g)
	ctx, cancel := context.WithTimeout(ctx, g.opts.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })
	err := l.open()
	if !stop() && err == nil { // it failed, or is about to
		err = context.Cause(ctx)
	}
	if err != nil {
		l.close()
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
