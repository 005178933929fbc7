package redis

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// run is the presence's goroutine: it serves one link after the other, beginning with l, which is nil where the first
// attempt failed for the reason why. It ends at Close.
func (p *Presence) run(l *presenceLink, why error) {
	defer close(p.done)
	pause := minPause
	var ok bool
	for {
		if l != nil {
			began := time.Now()
			why = p.serve(l)
			if p.closing.Err() != nil {
				return
			}
			if time.Since(began) > stable {
				pause = minPause
			}
		}
		if l, ok = p.reconnect(why, &pause); !ok {
			return
		}
	}
}

// serve hands what l brings to the receiver until l is over, and returns why.
func (p *Presence) serve(l *presenceLink) (why error) {
	now := time.Now()
	for _, o := range p.others {
		o.heard = now // it could not be heard while Redis was away
	}
	p.serial = l.began.serial
	p.mu.Lock()
	for registration, value := range p.dead { // what the last link may not have cleared away
		l.reap = append(l.reap, deadHub{registration, value})
	}
	p.mu.Unlock()
	p.look(l, l.began)
	p.use(l)
	l.start()
	var taken []any
	for l.ctx.Err() == nil {
		select {
		case <-l.in.Ready():
			taken = l.in.Take(taken)
			for _, what := range taken {
				p.take(l, what)
			}
		case <-l.ctx.Done():
		case <-p.closing.Done():
			l.fail(errClosed)
		}
	}
	why = p.explain(context.Cause(l.ctx))
	p.use(nil)
	p.finish(l)
	return why
}

// finish closes l, and answers what was not answered.
func (p *Presence) finish(l *presenceLink) {
	l.close()
	for _, what := range l.in.Take(nil) {
		switch claims := what.(type) {
		case claimsSent:
			p.sent = append(p.sent, claims...)
		case claimsLate:
			p.sent = append(p.sent, claims...)
		}
	}
	p.keepClaims(p.sent) // they may have been told or not
	p.sent = nil
	for _, q := range l.pages {
		q.fail(hub.ErrAway)
	}
}

// keepClaims answers this hub's own claims.
func (p *Presence) keepClaims(clients []string) {
	for _, client := range clients {
		p.receiver.Claimed(client, true)
	}
}

// take does what something that the link brought asks for.
func (p *Presence) take(l *presenceLink, what any) {
	switch what := what.(type) {
	case said:
		p.hear(what)
	case loadReply:
		p.loaded(what)
	case beatReply:
		p.look(l, what)
	case claimsSent:
		p.sent = append(p.sent, what...)
	case claimsUntold:
		p.claimedHere(what)
	case claimsLate:
		p.keepClaims(what)
	}
}

// hear does what an entry of the stream asks for. Where one is missing, as it came too late and was trimmed, all is read
// anew.
func (p *Presence) hear(e said) {
	if e.serial != p.serial+1 {
		p.log.Warn("missed what other hubs said of people, reading it anew", "expected", p.serial+1, "got", e.serial)
		p.mu.Lock()
		if p.link != nil {
			p.loadAll()
		}
		p.mu.Unlock()
	}
	p.serial = e.serial
	switch {
	case e.kind == kindClaims:
		p.claimed(e)
	case e.hub == p.own.ID:
	case e.kind == kindReady:
		p.appeared(hub.HubID{ID: e.hub, Name: e.data})
	case e.kind == kindChanges:
		if o := p.others[e.hub]; o != nil {
			o.heard = time.Now()
			for _, c := range decodeChanges(e, o.HubID) {
				p.changed(c)
			}
		}
	}
}

// appeared notes that all of a hub can be read.
func (p *Presence) appeared(of hub.HubID) {
	if o := p.others[of.ID]; o != nil {
		o.heard = time.Now()
	} else {
		p.others[of.ID] = &otherHub{HubID: of, heard: time.Now()}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link != nil {
		p.loadAll()
	}
}

// claimed tells the receiver of claims.
func (p *Presence) claimed(e said) {
	var clients []string
	if json.Unmarshal([]byte(e.data), &clients) != nil {
		return
	}
	if e.hub == p.own.ID {
		p.claimedHere(clients)
		return
	}
	for _, client := range clients {
		p.receiver.Claimed(client, false)
	}
}

// claimedHere answers this hub's own claims, and those before them that were missed. What an earlier link sent was
// answered when that ended.
func (p *Presence) claimedHere(clients []string) {
	for i := 0; i+len(clients) <= len(p.sent); i++ {
		if end := i + len(clients); slices.Equal(p.sent[i:end], clients) {
			p.keepClaims(p.sent[:end])
			p.sent = p.sent[end:]
			return
		}
	}
}

// changed tells the receiver of a change in a watched room, or keeps it until the room is loaded.
func (p *Presence) changed(c change) {
	p.mu.Lock()
	w := p.rooms[c.room]
	switch {
	case w == nil || w.loads == 0 && c.id.compare(w.since) <= 0:
		w = nil
	case w.loads > 0:
		w.buffer = append(w.buffer, c)
		w = nil
	}
	p.mu.Unlock()
	if w != nil {
		p.receiver.Changed(c.of, c.room, c.changes, c.count)
	}
}

// loaded tells the receiver what was read, and what changed since.
func (p *Presence) loaded(r loadReply) {
	for _, asked := range r.asked {
		room, w := asked.room, asked.of
		p.mu.Lock()
		if p.rooms[room] != w {
			p.mu.Unlock()
			continue // not watched any more, or again since: what changed in between is lost to this answer
		}
		w.loads--
		w.since = r.newest
		later := slices.DeleteFunc(slices.Clone(w.buffer), func(c change) bool { return c.id.compare(r.newest) <= 0 })
		if w.loads == 0 {
			w.buffer = nil
		}
		p.mu.Unlock()
		p.receiver.Loaded(room, p.listed(r.rooms[room]))
		for _, c := range later {
			p.receiver.Changed(c.of, c.room, c.changes, c.count)
		}
	}
}

// listed returns what was read of a room, but for hubs that are dead. Those that are alive, and of which nothing can be read
// now, are about to register again.
func (p *Presence) listed(shares []share) []hub.Listed {
	listed := []hub.Listed{}
	unknown := maps.Clone(p.others)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range shares {
		if _, dead := p.dead[s.registration]; !dead {
			listed = append(listed, s.Listed)
			delete(unknown, s.ID)
		}
	}
	for _, o := range unknown {
		listed = append(listed, hub.Listed{Hub: o.HubID, Unknown: true})
	}
	return listed
}

// look notes which hubs live and which do not.
func (p *Presence) look(l *presenceLink, r beatReply) {
	ready := make(map[string]bool)
	reload := false
	for registration, value := range r.hubs {
		at, ok := parseRegistered(value)
		if !ok || registration == l.registration {
			continue
		}
		if at.ID == p.own.ID {
			p.bury(l, registration, "") // this hub's own, from before: it is over, whatever came of it since
			continue
		}
		if at.state == stateReady {
			ready[at.ID] = true
		}
		reload = p.lookAt(l, registration, value, at, r) || reload
	}
	for id, o := range p.others {
		if r.at.Sub(o.heard) > p.opts.Life {
			delete(p.others, id)
			p.bury(l, o.registration, o.value)
			p.receiver.Gone(o.HubID)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.dead, func(registration, _ string) bool { return r.hubs[registration] == "" })
	if reload && p.link == l {
		p.loadAll()
	}
}

// lookAt notes what hubs has of another hub, and reports whether that hub is to be read: it came to life.
func (p *Presence) lookAt(l *presenceLink, registration, value string, at registered, r beatReply) bool {
	p.mu.Lock()
	was, dead := p.dead[registration]
	p.mu.Unlock()
	o := p.others[at.ID]
	switch {
	case dead && was == value:
		return false
	case o != nil && o.registration == registration && o.value == value:
		return false // not heard since
	case o == nil && !dead && r.now-at.beat > p.opts.Life.Milliseconds():
		p.bury(l, registration, value) // it was dead before this hub came
		return false
	case at.state != stateReady:
		return false // it says so when it is
	}
	p.mu.Lock()
	delete(p.dead, registration)
	p.mu.Unlock()
	if o == nil {
		p.others[at.ID] = &otherHub{HubID: at.HubID, registration: registration, value: value, heard: r.at}
		return true
	}
	if o.registration != "" && o.registration != registration {
		p.bury(l, o.registration, o.value) // it has a new one
	}
	o.registration, o.value, o.heard = registration, value, r.at
	return false
}

// bury has the people of a registration count no more, and what is left of it at Redis be cleared away.
func (p *Presence) bury(l *presenceLink, registration, value string) {
	if registration == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead[registration] = value
	l.reap = append(l.reap, deadHub{registration, value})
	l.nudge()
}

// reconnect makes links until there is one, or until Close.
func (p *Presence) reconnect(why error, pause *time.Duration) (*presenceLink, bool) {
	r := retry[*presenceLink]{
		closing: p.closing, connect: p.connect, discard: (*presenceLink).close, log: p.log, wait: p.wait,
		away:  "who is on other hubs is not known",
		back:  "who is on other hubs is known again",
		still: "who is on other hubs is still not known, trying again",
	}
	return r.again(why, pause)
}

// wait waits for so long, and reports whether the presence is not closed then. It answers claims meanwhile.
func (p *Presence) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-p.idle:
			claims, _ := p.takeClaims(math.MaxInt, time.Time{})
			p.keepClaims(claims)
		case <-p.closing.Done():
			return false
		}
	}
}

// connect makes a link that is not started, in at most Options.Timeout.
func (p *Presence) connect(ctx context.Context) (*presenceLink, error) {
	l := newPresenceLink(p)
	if err := open(ctx, p.opts.Timeout, l); err != nil {
		return nil, p.explain(err)
	}
	return l, nil
}

// explain adds what a presence has beyond a broker.
func (p *Presence) explain(err error) error {
	if errors.Is(err, errForgotten) {
		return err
	}
	return p.server.explain(err)
}
