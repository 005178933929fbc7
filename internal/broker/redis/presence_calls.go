package redis

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// This file has what the writer of a link asks of Redis, beside the beats.

// deadHub is a registration to clear away, and what hubs had of it.
type deadHub struct{ registration, value string }

// batch is changes that are told with one call.
type batch struct {
	link *presenceLink
	kind string // kindChanges, or "" where nobody is to be told
	keys []string
	args []string
	told []roomChange
}

func (l *presenceLink) newBatch(kind string) *batch { return &batch{link: l, kind: kind} }

// add adds a change of one person in a room, which has count people on this hub now, and sends all where that is enough.
func (b *batch) add(room string, c hub.PersonChange, count int) error {
	b.keys = append(b.keys, peopleKeyOf(b.link.registration, room))
	entry := ""
	if !c.Left {
		entry = entryOf(c.Person)
	}
	b.args = append(b.args, room, c.ID, entry)
	if b.kind != "" {
		if n := len(b.told); n == 0 || b.told[n-1].Room != room {
			b.told = append(b.told, roomChange{Room: room, Count: count})
		}
		r := &b.told[len(b.told)-1]
		if c.Left {
			r.Remove = append(r.Remove, c.ID)
		} else {
			r.Put = append(r.Put, person(c.Person))
		}
	}
	if len(b.keys) < changesMost {
		return nil
	}
	return b.send()
}

// send sends what was added.
func (b *batch) send() error {
	if len(b.keys) == 0 {
		return nil
	}
	text := ""
	if b.kind != "" {
		text = encodeChanges(b.told)
	}
	err := b.link.change(b.kind, text, never, b.keys, b.args)
	b.keys, b.args, b.told = b.keys[:0], b.args[:0], nil
	if err != nil {
		return err
	}
	return b.link.keepAlive()
}

// never is for what is not too late at any time.
const never = ""

// change runs the script that changes who is where and tells the hubs, until latest, which is by Redis's clock.
func (l *presenceLink) change(kind, text, latest string, keys, args []string) error {
	allKeys := append([]string{hubsKey, changesKey, serialKey, roomsKeyOf(l.registration)}, keys...)
	allArgs := append([]string{l.registration, l.presence.own.ID, kind, text, strconv.Itoa(changesKept), latest}, args...)
	answer, err := l.call(changeText, allKeys, allArgs).AsInt64()
	switch {
	case err != nil:
	case answer == 0:
		err = errForgotten
	case answer == 2:
		err = errTooLate
	}
	if err != nil {
		return fmt.Errorf("say who is here: %w", err)
	}
	return nil
}

// redisTime returns the time by Redis's clock after d, or a little before.
func (l *presenceLink) redisTime(d time.Duration) string {
	return strconv.FormatInt(l.clock.now+(time.Since(l.clock.at)+d).Milliseconds(), 10)
}

// register says who is on this hub, and then that all of it can be read.
func (l *presenceLink) register() error {
	if err := l.clearAway(); err != nil { // what this hub registered before, so that it has one at most that is ready
		return err
	}
	type roomPeople struct {
		room   string
		people []hub.Person
	}
	var all []roomPeople
	l.presence.receiver.Everyone(func(room string, people []hub.Person) bool {
		all = append(all, roomPeople{room, people}) // under a lock of the receiver: nothing else here
		return true
	})
	b := l.newBatch("")
	for _, each := range all {
		for _, p := range each.people {
			if err := b.add(each.room, hub.PersonChange{Person: p}, 0); err != nil {
				return err
			}
		}
	}
	if err := b.send(); err != nil {
		return err
	}
	l.state = stateReady
	if err := l.sayAlive(); err != nil {
		return err
	}
	return l.change(kindReady, l.presence.own.Name, never, nil, nil)
}

// keepAlive says that this hub is alive where that is due. All that takes more than one call does it in between: a hub
// that has much to say for longer than it lives is not to be taken for dead.
func (l *presenceLink) keepAlive() error {
	if time.Since(l.beaten) < l.presence.beat() {
		return nil
	}
	return l.sayAlive()
}

// sayAlive says that this hub is alive.
func (l *presenceLink) sayAlive() error {
	r, err := l.beat(false)
	if err == nil && !r.there {
		err = errForgotten
	}
	if err != nil {
		return fmt.Errorf("say that this hub is alive: %w", err)
	}
	l.tell(r)
	return nil
}

// sendChanges tells who came and went, and reports whether anybody did.
func (l *presenceLink) sendChanges() (bool, error) {
	p := l.presence
	p.mu.Lock()
	pending := p.pending
	if len(pending) == 0 || p.link != l {
		p.mu.Unlock()
		return false, nil
	}
	p.pending = make(map[string]*roomUpdate)
	p.mu.Unlock()
	b := l.newBatch(kindChanges)
	for room, u := range pending {
		for _, c := range u.people {
			if err := b.add(room, c, u.count); err != nil {
				return true, err
			}
		}
	}
	return true, b.send()
}

// sendClaims tells some of what is to be claimed, and reports whether there was anything.
func (l *presenceLink) sendClaims() (bool, error) {
	claims, late := l.presence.takeClaims(claimsAtOnce, time.Now().Add(-claimAge))
	if len(late) > 0 {
		l.tell(claimsLate(late))
	}
	if len(claims) == 0 {
		return len(late) > 0, nil
	}
	l.tell(claimsSent(claims)) // before it can come back
	text, err := json.Marshal(claims)
	if err != nil {
		return true, err
	}
	err = l.change(kindClaims, string(text), l.redisTime(claimAge), nil, nil)
	if errors.Is(err, errTooLate) { // it was on its way for too long
		l.tell(claimsUntold(claims))
		return true, nil
	}
	return true, err
}

// claimsSent are clients that are being claimed, claimsUntold those of them that came too late to Redis, and claimsLate
// those that waited too long before.
type (
	claimsSent   []string
	claimsUntold []string
	claimsLate   []string
)

// readRooms reads who is in some of the rooms that are asked for, and reports whether there were any.
func (l *presenceLink) readRooms() (bool, error) {
	p := l.presence
	p.mu.Lock()
	n := min(len(l.loads), loadsAtOnce)
	asked := slices.Clone(l.loads[:n])
	l.loads = l.loads[n:]
	dead := slices.Collect(maps.Keys(p.dead))
	p.mu.Unlock()
	if n == 0 {
		return false, nil
	}
	args := append([]string{presenceKeys, l.registration, strconv.Itoa(p.most), strconv.Itoa(len(dead))}, dead...)
	for _, a := range asked {
		args = append(args, a.room)
	}
	r, err := parseLoad(asked, p.own.ID, l.call(loadText, []string{hubsKey, changesKey}, args))
	if err != nil {
		return true, fmt.Errorf("read who is in rooms: %w", err)
	}
	l.tell(r)
	return true, nil
}

// page is a request for one.
type page struct {
	room  string // "" for rooms
	after string
	limit int

	// one of them
	people func(hub.PeoplePage, error)
	rooms  func(hub.RoomsPage, error)
}

// fail answers that it could not be read.
func (q page) fail(err error) {
	if q.people != nil {
		q.people(hub.PeoplePage{}, err)
	} else {
		q.rooms(hub.RoomsPage{}, err)
	}
}

// readPages reads the pages that are asked for.
func (l *presenceLink) readPages() error {
	p := l.presence
	p.mu.Lock()
	pages := l.pages
	l.pages = nil
	dead := slices.Collect(maps.Keys(p.dead))
	p.mu.Unlock()
	for i, q := range pages {
		if err := l.keepAlive(); err != nil {
			failPages(pages[i:], err)
			return err
		}
		args := append([]string{presenceKeys, q.room, q.after, strconv.Itoa(q.limit), strconv.Itoa(len(dead))}, dead...)
		if err := q.answer(l.call(pageText, []string{hubsKey}, args)); err != nil {
			failPages(pages[i:], err)
			return fmt.Errorf("read a page of people: %w", err)
		}
	}
	return nil
}

// failPages answers that these could not be read.
func failPages(pages []page, why error) {
	for _, q := range pages {
		q.fail(fmt.Errorf("%w: %w", hub.ErrAway, why))
	}
}

// answer answers with what Redis answered, or returns its error and does not.
func (q page) answer(result rueidis.RedisResult) error {
	parts, err := result.ToArray()
	if err != nil {
		return err
	}
	if q.people != nil {
		page, err := q.readPeople(parts)
		if err == nil {
			q.people(page, nil)
		}
		return err
	}
	page, err := q.readRooms(parts)
	if err == nil {
		q.rooms(page, nil)
	}
	return err
}

// readPeople puts together what each registration has. Somebody who is on two hubs is on that which it came to last.
func (q page) readPeople(parts []rueidis.RedisMessage) (page hub.PeoplePage, err error) {
	if len(parts) != 2 {
		return page, fmt.Errorf("%w: a page has %d parts", errReply, len(parts))
	}
	count, err := parts[0].AsInt64()
	if err != nil {
		return page, err
	}
	shares, err := parts[1].ToArray()
	if err != nil {
		return page, err
	}
	places := make(map[string]hub.Place)
	for i := 0; i+1 < len(shares); i += 2 {
		value, err := shares[i].ToString()
		if err != nil {
			return page, err
		}
		entries, err := shares[i+1].AsStrSlice()
		if err != nil {
			return page, err
		}
		of, _ := parseRegistered(value)
		for _, p := range parsePeople(entries) {
			if was, ok := places[p.ID]; !ok || p.Since >= was.Since {
				places[p.ID] = hub.Place{Person: p, Hub: of.Name}
			}
		}
	}
	page.Count = int(count)
	page.People = slices.SortedFunc(maps.Values(places), func(a, b hub.Place) int { return cmp.Compare(a.ID, b.ID) })
	if len(page.People) > q.limit {
		page.People = page.People[:q.limit]
		page.Next = page.People[q.limit-1].ID
	}
	return page, nil
}

func (q page) readRooms(parts []rueidis.RedisMessage) (page hub.RoomsPage, err error) {
	for i := 0; i+1 < len(parts); i += 2 {
		room, err := parts[i].ToString()
		if err != nil {
			return page, err
		}
		count, err := parts[i+1].AsInt64()
		if err != nil {
			return page, err
		}
		page.Rooms = append(page.Rooms, hub.RoomPeople{Room: room, People: int(count)})
	}
	if len(page.Rooms) > q.limit {
		page.Rooms = page.Rooms[:q.limit]
		page.Next = page.Rooms[q.limit-1].Room
	}
	return page, nil
}

// clearAway removes what dead hubs left.
func (l *presenceLink) clearAway() error {
	p := l.presence
	p.mu.Lock()
	reap := l.reap
	l.reap = nil
	p.mu.Unlock()
	for _, d := range reap {
		for left := int64(1); left > 0; {
			var err error
			left, err = l.call(reapText, []string{hubsKey, roomsKeyOf(d.registration)}, []string{
				presenceKeys, d.registration, d.value, strconv.Itoa(reapAtOnce),
			}).AsInt64()
			if err != nil {
				return fmt.Errorf("clear away what a dead hub left: %w", err)
			}
			if err := l.keepAlive(); err != nil {
				return err
			}
		}
	}
	return nil
}
