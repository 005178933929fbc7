package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Run makes one load test. Where ctx ends while it is measured, the test ends in order, and the result says what there
// was; before that, Run returns the context's error. Its other errors wrap ErrOptions, ErrUnreachable or ErrRefused, or
// are failures of this machine. Several calls at once disturb each other's figures, and nothing else.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := newDialer(&o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if err := enoughFiles(o.Conns); err != nil {
		return nil, err
	}
	l := newLoad(o)
	e, err := newEngine(l)
	if err != nil {
		return nil, fmt.Errorf("start the generator: %w", err)
	}
	t := &test{opts: o, load: l, engine: e, dialer: d, meter: newMeter(ctx, &o, d)}
	err = t.run(ctx)
	e.stop()
	if err == nil {
		err = t.conclude()
	}
	if err != nil {
		return nil, err
	}
	return &t.result, nil
}

// test is one run of Run, and belongs to its goroutine.
type test struct {
	opts   Options
	load   *load
	engine engine
	dialer *dialer
	meter  *meter
	result Result
}

func (t *test) run(ctx context.Context) error {
	o := &t.opts
	t.result.Test = Test{
		Hubs: o.Hubs, Conns: o.Conns, Publishers: o.Publishers, Rooms: o.Rooms, Size: o.Size, Rate: o.Rate, Window: o.Window,
		Warmup: o.Warmup.Seconds(), Duration: o.Duration.Seconds(), Engine: t.engine.name(), Started: t.load.base,
	}
	if o.Idle {
		return t.hold(ctx)
	}
	if err := t.connect(ctx, 0, o.Conns); err != nil {
		return err
	}
	if err := t.pass(ctx, "settling", o.Settle); err != nil {
		return err
	}
	return t.publish(ctx)
}

// connect opens the connections from from, included, to to, and waits until all are ready.
func (t *test) connect(ctx context.Context, from, to int) error {
	began := time.Now()
	var reached <-chan struct{}
	t.engine.do(func() { reached = t.load.await(to) })

	// Sent by the goroutine that is started here and received by the dialers; it holds nothing; closed after the last.
	numbers := make(chan int)
	dialing, cancel := context.WithCancel(ctx)
	var dialers sync.WaitGroup
	defer dialers.Wait() // with cancel before it
	defer cancel()
	dialers.Go(func() { // until the last number is taken, or dialing is over
		defer close(numbers)
		for n := from; n < to; n++ {
			select {
			case numbers <- n:
			case <-dialing.Done():
				return
			}
		}
	})
	var dialed sync.WaitGroup
	for range min(t.opts.Dialers, to-from) {
		dialed.Add(1)
		dialers.Go(func() { // until numbers ends
			defer dialed.Done()
			for n := range numbers {
				if err := t.open(dialing, n); err != nil {
					t.engine.do(func() { t.load.fail(err) })
					cancel() // the others need not go on
				}
			}
		})
	}
	all := make(chan struct{}) // closed when all are dialed; received below
	dialers.Go(func() { dialed.Wait(); close(all) })

	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	var late <-chan time.Time // from when all are dialed
	for {
		select {
		case <-reached:
			var err error
			t.engine.do(func() { err = t.load.failed })
			if err != nil {
				return err
			}
			t.result.Connect.Seconds += time.Since(began).Seconds()
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-all:
			all = nil
			late = time.After(t.opts.ConnectTimeout)
		case <-late:
			return fmt.Errorf("%w: of %d connections %d were not ready in %v", ErrUnreachable, to, to-t.ready(), t.opts.ConnectTimeout)
		case <-tick.C:
			t.tell("connecting", began, 0)
		}
	}
}

// open opens one connection.
func (t *test) open(ctx context.Context, n int) error {
	nc, early, err := t.dialer.open(ctx, n)
	if err != nil {
		return fmt.Errorf("connection %d of %d to %s: %w", n+1, t.opts.Conns, t.opts.Hubs[t.opts.hubOf(n)], err)
	}
	if err := t.engine.open(t.load.conns[n], nc, early); err != nil {
		return fmt.Errorf("take over connection %d: %w", n+1, err)
	}
	return nil
}

// ready returns how many connections are ready.
func (t *test) ready() (n int) {
	t.engine.do(func() { n = t.load.ready })
	return n
}

// publish has the publishers publish, and measures.
func (t *test) publish(ctx context.Context) error {
	t.engine.do(t.load.begin)
	if err := t.pass(ctx, "warming up", t.opts.Warmup); err != nil {
		return err
	}
	t.meter.start(ctx)
	early := t.pass(ctx, "running", t.opts.Duration) // the result says how long it was
	if errors.Is(early, errDeserted) {
		return early
	}
	finishing := context.WithoutCancel(ctx)
	t.meter.end(finishing)
	t.engine.do(func() {
		if early != nil {
			t.load.to = min(t.load.to, t.load.now())
		}
		t.load.finish()
	})
	t.drain()
	t.result.Limits.Busy = t.engine.busy()
	return nil
}

// drain waits for what is still on its way.
func (t *test) drain() {
	began := time.Now()
	late := time.NewTimer(t.opts.Drain)
	defer late.Stop()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.load.settled:
			return
		case <-late.C:
			return
		case <-tick.C:
			t.tell("draining", began, t.opts.Drain)
		}
	}
}

// progressEvery is how often Progress is called.
const progressEvery = 500 * time.Millisecond

// errDeserted is returned where all connections ended before the test was over.
var errDeserted = fmt.Errorf("%w any more: all connections ended before the test was over", ErrUnreachable)

// pass lets a time pass. Where ctx ends before, it returns its error, and where nobody is left errDeserted.
func (t *test) pass(ctx context.Context, phase string, length time.Duration) error {
	began := time.Now()
	over := time.NewTimer(length)
	defer over.Stop()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-over.C:
			return nil
		case <-t.load.deserted:
			return errDeserted
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			t.tell(phase, began, length)
		}
	}
}

// tell tells how far the test is.
func (t *test) tell(phase string, began time.Time, length time.Duration) {
	if t.opts.Progress == nil {
		return
	}
	p := Progress{Phase: phase, Conns: t.opts.Conns, Elapsed: time.Since(began), Of: length}
	t.engine.do(func() {
		p.Connected, p.Published, p.Deliveries = t.load.ready, t.load.counts.published, t.load.counts.delivered
	})
	t.opts.Progress(p)
}

// conclude makes the rest of the result. The engine has ended.
func (t *test) conclude() error {
	r := &t.result
	if t.load.broken != nil {
		return fmt.Errorf("wait for the connections: %w", t.load.broken)
	}
	if r.Connect.Seconds > 0 {
		r.Connect.PerSecond = float64(t.opts.Conns) / r.Connect.Seconds
	}
	if r.Closed = t.load.closed(); r.Closed.Count == t.opts.Conns {
		return errDeserted
	}
	r.Hubs, r.Own = t.meter.hubs, t.meter.own
	if t.opts.Idle {
		r.Idle.Pings = t.load.counts.pings
	} else {
		r.Load = t.load.result()
		r.Limits.LateP99, r.Limits.LateMax = t.load.late.Quantile(.99), t.load.late.Max()
	}
	r.Warnings = warnings(r)
	return nil
}

// hold opens the connections step by step, and holds them.
func (t *test) hold(ctx context.Context) error {
	idle := &Idle{Samples: []Sample{}}
	t.result.Idle = idle
	t.result.Limits.Busy = -1
	const steps = 10
	done := 0
	for step := 0; step <= steps; step++ {
		// The first is early, so that what a hub has once does not count as a part of each connection.
		to := max(t.opts.Conns*step/steps, min(idleFirst, max(t.opts.Conns/10, 1)))
		if to == done {
			continue
		}
		if err := t.connect(ctx, done, to); err != nil {
			return err
		}
		done = to
		t.sample(ctx, idle, done)
	}
	began := time.Now()
	t.meter.start(ctx)
	if err := t.pass(ctx, "holding", t.opts.Duration); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	t.meter.end(ctx)
	idle.Seconds = time.Since(began).Seconds()
	t.sample(ctx, idle, done)
	idle.BytesPerConnection = slope(idle.Samples)
	return nil
}

// idleFirst is the first number of connections at which memory is looked at, where there are to be many.
const idleFirst = 1000

// sample looks at the memory of the hubs.
func (t *test) sample(ctx context.Context, idle *Idle, conns int) {
	if u := t.meter.now(ctx); u.Known {
		idle.Samples = append(idle.Samples, Sample{Conns: conns, Bytes: u.RSS})
	}
}

// slope returns how many bytes a connection takes: from the first sample to the last, which was taken when the
// connections had been held. It is nil where there are no two numbers of connections.
func slope(samples []Sample) *float64 {
	if len(samples) < 2 {
		return nil
	}
	first, last := samples[0], samples[len(samples)-1]
	if first.Conns == last.Conns {
		return nil
	}
	bytes := (float64(last.Bytes) - float64(first.Bytes)) / float64(last.Conns-first.Conns)
	return &bytes
}
