package redis

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// opener is a link that is not open yet.
type opener interface {
	open() error    // which ends early where the link fails
	fail(why error) // ends the link; everybody may call it
	close()
}

// open opens l, in at most timeout. Where that fails it closes l and says why.
func open(ctx context.Context, timeout time.Duration, l opener) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })
	err := l.open()
	if !stop() && err == nil { // it failed, or is about to
		err = context.Cause(ctx)
	}
	if err != nil {
		l.close()
	}
	return err
}

// retry says how a link is made again, of a broker, a log or a presence.
type retry[L any] struct {
	closing context.Context // done when no more is wanted
	connect func(context.Context) (L, error)
	discard func(L)                  // closes one that came when no more was wanted
	wait    func(time.Duration) bool // waits for so long, and reports whether more is wanted then
	log     *slog.Logger

	away, back, still string // what is logged when there is none, is one again, and is none after all that time
}

// again tries until there is a link, or none is wanted any more. It pauses before each attempt, and leaves in pause what
// the next would be.
func (r *retry[L]) again(why error, pause *time.Duration) (l L, ok bool) {
	began := time.Now()
	logged := began
	r.log.Warn(r.away, "why", why)
	for {
		if !r.wait(*pause/2 + rand.N(*pause/2)) {
			return l, false
		}
		*pause = min(2**pause, maxPause)
		made, err := r.connect(r.closing)
		switch {
		case r.closing.Err() != nil:
			if err == nil {
				r.discard(made)
			}
			return l, false
		case err == nil:
			r.log.Info(r.back, "after", time.Since(began).Round(time.Millisecond))
			return made, true
		case time.Since(logged) >= reminder:
			logged = time.Now()
			r.log.Warn(r.still, "since", time.Since(began).Round(time.Second), "why", err)
		}
	}
}

// waitUnless waits for d, and reports whether ctx is not done then.
func waitUnless(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
