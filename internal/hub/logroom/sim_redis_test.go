package logroom_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// server is a model of one Redis process. Its scripts do what those of the design do.
type server struct {
	w            *world
	run, replica string // the two halves of its reign
	data         *dataset
	up           bool
	hung         bool
	full         bool     // out of memory: it refuses to write
	waiting      []func() // what arrived while it hung
}

// dataset is what a server holds, and what a replica or a file holds of it.
type dataset struct {
	rooms map[int]*log
	keys  map[string]key
}

type key struct {
	at    logroom.Position
	born  string
	until time.Duration
}

// log is one room's stream and meta.
type log struct {
	born        string // its first epoch: another log has another
	epoch       string
	top         uint64
	reign       string
	forks       logroom.Forks
	metaUntil   time.Duration // 0: for ever
	stream      []logroom.Entry
	streamUntil time.Duration

	ids map[string]uint64 // not Redis: the offset of each message that the log has or had, for the checker
}

func newDataset() *dataset { return &dataset{rooms: map[int]*log{}, keys: map[string]key{}} }

func (d *dataset) clone() *dataset {
	c := &dataset{rooms: make(map[int]*log, len(d.rooms)), keys: maps.Clone(d.keys)}
	for i, l := range d.rooms {
		copied := *l
		copied.stream, copied.ids = slices.Clone(l.stream), maps.Clone(l.ids)
		c.rooms[i] = &copied
	}
	return c
}

// log returns what is left of a room's log, nil for nothing.
func (s *server) log(room int) *log {
	l := s.data.rooms[room]
	if l == nil {
		return nil
	}
	if l.metaUntil > 0 && s.w.now >= l.metaUntil {
		delete(s.data.rooms, room)
		s.w.lost()
		return nil
	}
	if s.w.now >= l.streamUntil {
		l.stream = nil
	}
	return l
}

// reign makes sure of the epoch, as both scripts begin.
func (s *server) reign(room int, nonce string) *log {
	reign := s.run + ":" + s.replica
	switch {
	case s.w.off("script: reign without replica"):
		reign = s.run
	case s.w.off("script: reign without run"):
		reign = s.replica
	case s.w.off("script: no reign"):
		reign = ""
	}
	l := s.log(room)
	if l == nil {
		first := logroom.Forks{{Epoch: nonce, Start: 1}}
		l = &log{born: nonce, epoch: nonce, reign: reign, forks: first, ids: map[string]uint64{}}
		s.data.rooms[room] = l
		s.w.truth.begin(room, nonce, "", 1)
	} else if l.reign != reign {
		s.w.truth.begin(room, nonce, l.epoch, l.top+1)
		l.epoch, l.reign = nonce, reign
		l.forks = append(slices.Clone(l.forks), logroom.Fork{Epoch: nonce, Start: l.top + 1})
		if n := len(l.forks); n > logroom.MaxForks {
			l.forks = l.forks[n-logroom.MaxForks:]
		}
	}
	return l
}

// appended is the script's answer for one message.
type appended struct {
	at        logroom.Position
	duplicate bool
}

// publish is publish.lua.
func (s *server) publish(room int, nonce string, messages []*protocol.Message) (string, []appended) {
	c, now := &s.w.config, s.w.now
	l := s.reign(room, nonce)
	var out []appended
	var news []logroom.Entry
	for _, m := range messages {
		name := fmt.Sprint(room, "/", m.ID)
		k, known := s.data.keys[name]
		known = known && now < k.until && !s.w.off("script: no keys")
		switch {
		case s.w.off("script: keys of lost logs"):
		case s.w.off("script: keys by fork list"):
			listed := slices.ContainsFunc(l.forks, func(f logroom.Fork) bool { return f.Epoch == k.at.Epoch })
			known = known && (listed || k.at.Offset < l.forks[0].Start)
		default:
			known = known && k.born == l.born
		}
		if known {
			s.w.truth.known(room, l, k.at, m.ID)
			out = append(out, appended{k.at, true})
			continue
		}
		l.top++
		e := logroom.Entry{At: logroom.Position{Epoch: l.epoch, Offset: l.top}, Message: m}
		l.stream = append(l.stream, e)
		if n := len(l.stream) - c.history; n > 0 {
			l.stream = l.stream[n:]
		}
		s.data.keys[name] = key{e.At, l.born, now + c.keyLife}
		s.w.truth.store(room, l, e)
		out = append(out, appended{e.At, false})
		news = append(news, e)
	}
	if len(news) > 0 {
		if l.streamUntil-now < c.streamLife*15/16 {
			l.streamUntil, l.metaUntil = now+c.streamLife, now+c.metaLife
		}
		s.w.fanOut(s, room, news)
	}
	return l.epoch, out
}

// read is read.lua, for a hub that has listeners.
func (s *server) read(room int, nonce string, from logroom.Position, limit int) logroom.Page {
	c, now := &s.w.config, s.w.now
	l := s.reign(room, nonce)
	if l.metaUntil-now < c.metaLife*15/16 {
		l.metaUntil = now + c.metaLife
	}
	p := logroom.Page{Epoch: l.epoch, Top: l.top, Forks: l.forks}
	if from.IsZero() {
		return p
	}
	since, found := from.Offset, false
	for i, f := range l.forks {
		if f.Epoch != from.Epoch {
			continue
		}
		last := l.top
		if i+1 < len(l.forks) {
			last = l.forks[i+1].Start - 1
		}
		switch {
		case since <= last || s.w.off("script: no orphans"):
			found = true
		case i+1 < len(l.forks):
			since, found, p.Orphans = last, true, last+1
		}
	}
	if s.w.off("script: unknown epoch") && !found {
		found = since <= l.top
	}
	p.Before = l.top
	if len(l.stream) > 0 {
		p.Before = l.stream[0].At.Offset - 1
	}
	if !found {
		p.Reset, p.Orphans = true, 0
		return p
	}
	if since >= l.top {
		return p
	}
	i := slices.IndexFunc(l.stream, func(e logroom.Entry) bool { return e.At.Offset > since })
	if i < 0 || l.stream[i].At.Offset != since+1 && !s.w.off("script: trimmed") {
		p.Reset, p.Orphans = true, 0
		return p
	}
	p.Entries = slices.Clone(l.stream[i:min(i+limit, len(l.stream))])
	return p
}

// arrive executes a request that reached the server: now, when it goes on, or never.
func (s *server) arrive(do func()) {
	switch {
	case !s.up || s != s.w.primary:
	case s.hung:
		s.waiting = append(s.waiting, do)
	default:
		do()
	}
}

// goOn ends a hang.
func (s *server) goOn() {
	s.hung = false
	list := s.waiting
	s.waiting = nil
	for _, do := range list {
		s.arrive(do)
	}
}
