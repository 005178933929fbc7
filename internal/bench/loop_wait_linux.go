package bench

import (
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

const (
	// shortest is the least that a tick is set to: below it the timer costs more than it tells.
	shortest = 20 * time.Microsecond
	// quiet is how often the loop looks where nothing is to be sent.
	quiet = time.Second

	// wakeEvery is how often the loop wakes up by the clock, at most and over some time. So a message may be measured to
	// take up to so much longer than it did. A hub that writes to a thousand sockets, one after the other, would else
	// wake the loop a thousand times, which costs more than to read them.
	wakeEvery = int64(250 * time.Microsecond)
	// wakeAtOnce is how many wake-ups may be sooner: where there is little to do, nothing waits.
	wakeAtOnce = 16
)

// wait waits for events until next, and at most until there is an errand.
func (p *loop) wait(next int64) ([]epoll.Event, error) {
	before := p.load.now()
	events, err := p.poll()
	if err != nil || len(events) > 0 || next <= before {
		return events, err
	}
	if rest := p.rest(before); rest > 0 {
		epoll.Sleep(time.Duration(min(rest, next-before)))
		p.slept(before)
		if events, err = p.poll(); len(events) > 0 {
			p.woken += wakeEvery
		}
		return events, err
	}
	next = min(next, before+int64(quiet)) // a tick that was set before goes on until it is set anew
	if p.armed == 0 || p.armed > next || p.armed <= before {
		every := max(time.Duration(next-before), shortest)
		if err := p.poller.Tick(every); err != nil {
			return nil, err
		}
		p.armed = before + int64(every)
	}
	p.poller.Park()
	p.mu.Lock()
	errand := len(p.errands) > 0
	p.mu.Unlock()
	if errand {
		return p.poll()
	}
	p.woken += wakeEvery
	events, ticked, err := p.poller.Wait()
	p.tickedAt(ticked)
	p.slept(before)
	return events, err
}

// rest returns how long the loop is to leave the sockets alone, in ns. Where messages do not go by the clock it never
// is: who waits for them would publish less.
func (p *loop) rest(now int64) int64 {
	if p.load.opts.Rate == 0 || p.load.phase != publishing && p.load.phase != draining {
		return 0
	}
	p.woken = max(p.woken, now-wakeAtOnce*wakeEvery)
	return max(p.woken-now, 0)
}

// slept counts the time from before until now as one in which the loop waited.
func (p *loop) slept(before int64) {
	if from, to := max(before, p.load.from), min(p.load.now(), p.load.to); from < to {
		p.waited += to - from
	}
}

// poll returns what has happened.
func (p *loop) poll() ([]epoll.Event, error) {
	events, ticked, err := p.poller.Poll()
	p.tickedAt(ticked)
	return events, err
}

// tickedAt notes whether the poller ticked: the next tick is to be set then.
func (p *loop) tickedAt(ticked bool) {
	if ticked {
		p.armed = 0
	}
}
