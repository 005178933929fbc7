//go:build !short

package redis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// shortLife is how long a hub that is not heard of counts as alive where tests wait for its death.
const shortLife = 1500 * time.Millisecond

func newPresence(t *testing.T, url string, life time.Duration) *Presence {
	t.Helper()
	p, err := NewPresence(PresenceOptions{Options: Options{URL: url, Timeout: hang, Log: newTextLog(t.Output())}, Life: life})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPresenceContract(t *testing.T) {
	t.Parallel()
	brokertest.RunPresence(t, func(t *testing.T, n int) []hub.Presence {
		server := redistest.New(t, redistest.Options{})
		var all []hub.Presence
		for range n {
			all = append(all, newPresence(t, server.URL(), shortLife))
		}
		return all
	})
}

// presentHub is a presence that a test has started, and its receiver.
type presentHub struct {
	p *Presence
	*brokertest.PresenceReceiver
	id hub.HubID
}

func (h presentHub) put(room, id string) {
	h.Put(h.p, room, hub.Person{ID: id, Name: "N " + id, Since: 1})
}

// startPresent starts hubs at these URLs, each of which watches lobby.
func startPresent(t *testing.T, life time.Duration, urls ...string) (hubs []presentHub) {
	t.Helper()
	for i, url := range urls {
		id := hub.HubID{ID: fmt.Sprint("id", i), Name: fmt.Sprint("hub", i)}
		p := newPresence(t, url, life)
		hubs = append(hubs, presentHub{p, brokertest.StartPresence(t, p, id), id})
		p.Watch("lobby")
	}
	return hubs
}

// awaitAll waits until a hub has these people, and no others, in lobby of another.
func (h presentHub) awaitAll(t *testing.T, of presentHub, ids ...string) {
	t.Helper()
	var people []hub.Person
	for _, id := range ids {
		people = append(people, hub.Person{ID: id, Name: "N " + id, Since: 1})
	}
	h.AwaitPeople("lobby", of.id, people...)
}

// keysAt returns the keys at Redis that match a pattern.
func keysAt(server *redistest.Server, pattern string) []string {
	return strings.Fields(server.Do("EVAL", "return table.concat(redis.call('KEYS', ARGV[1]), ' ')", "0", pattern))
}

// TestPresenceRedisLosesAll has Redis lose what it had, in each way in which it does: hubs say it anew, nobody is taken
// for gone meanwhile, and what changed while Redis was away is there.
func TestPresenceRedisLosesAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose func(*redistest.Server, presentHub)
	}{
		{name: "killed", lose: func(s *redistest.Server, h presentHub) {
			s.Kill()
			h.put("lobby", "meanwhile")
			s.Start()
		}},
		{name: "flushed", lose: func(s *redistest.Server, h presentHub) {
			s.Do("FLUSHALL")
			h.put("lobby", "meanwhile")
		}},
		{name: "hung", lose: func(s *redistest.Server, h presentHub) {
			s.Pause()
			h.put("lobby", "meanwhile")
			h.Await("Redis to be away", func() bool { return errors.Is(h.p.People("lobby", "", 1, func(hub.PeoplePage, error) {}), hub.ErrAway) })
			s.Resume()
		}},
		{name: "scripts flushed", lose: func(s *redistest.Server, h presentHub) {
			s.Do("SCRIPT", "FLUSH")
			h.put("lobby", "meanwhile")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.New(t, redistest.Options{})
			h := startPresent(t, 10*time.Second, server.URL(), server.URL())
			h[0].put("lobby", "ada")
			h[1].put("lobby", "bob")
			h[0].awaitAll(t, h[1], "bob")
			h[1].awaitAll(t, h[0], "ada")
			h[1].Mark()
			c.lose(server, h[0])
			h[1].awaitAll(t, h[0], "ada", "meanwhile")
			h[0].awaitAll(t, h[1], "bob")
			brokertest.AwaitPage(t, h[0].p, "lobby", 3)
			if least := h[1].Fewest("lobby", h[0].id); least < 1 {
				t.Errorf("ada was taken for gone")
			}
		})
	}
}

// TestPresenceDeadHub has a hub die, and be cut off for longer than it lives for the others: its people go, in time, and
// what it left at Redis is cleared away; one that comes back has its people again.
func TestPresenceDeadHub(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	network := newFront(t, server.Addr())
	h := startPresent(t, shortLife, server.URL(), network.url(), server.URL())
	h[0].put("lobby", "ada")
	h[1].put("lobby", "bob")
	h[2].put("lobby", "cyd")
	h[0].awaitAll(t, h[1], "bob")
	h[0].awaitAll(t, h[2], "cyd")

	network.to("127.0.0.1:1") // where nobody listens
	began := time.Now()
	h[0].awaitAll(t, h[1])
	took := time.Since(began)
	t.Logf("bob went after %v", took)
	if most := h[0].p.opts.Life + 2*h[0].p.beat() + time.Second; took > 2*most {
		t.Errorf("bob was there for %v, want at most %v", took, most)
	}
	brokertest.AwaitPage(t, h[0].p, "lobby", 2)
	h[0].Await("the rest to be cleared away", func() bool {
		return len(keysAt(server, presenceKeys+"*:of:lobby")) == 2
	})

	h[1].put("lobby", "dan")
	network.to(server.Addr())
	h[0].awaitAll(t, h[1], "bob", "dan")
	h[1].awaitAll(t, h[2], "cyd")
	brokertest.AwaitPage(t, h[1].p, "lobby", 4)
}

// TestPresenceLeftOver starts hubs at a Redis where others died long ago: nobody of theirs is there, and what they left
// is cleared away.
func TestPresenceLeftOver(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	server.Do("HSET", hubsKey, "old", "1000 ready id9 hub9", "half", "1000 coming id8 hub8")
	for _, registration := range []string{"old", "half"} {
		for i := range 3 * reapAtOnce / 2 {
			room := fmt.Sprint("r", i)
			server.Do("ZADD", roomsKeyOf(registration), "0", room)
			server.Do("ZADD", peopleKeyOf(registration, room), "0", "ghost 1 Ghost")
		}
	}
	h := startPresent(t, shortLife, server.URL(), server.URL())
	h[0].p.Watch("r0")
	h[0].AwaitLoaded("r0")
	if n := h[0].Listed("r0"); n > 0 {
		t.Error("a ghost is there")
	}
	brokertest.AwaitPage(t, h[1].p, "r1", 0)
	h[0].Await("the rest to be cleared away", func() bool {
		return strings.TrimSpace(server.Do("HLEN", hubsKey)) == "2" && len(keysAt(server, "*:of:*")) == 0
	})
}

// TestPresenceMissed has a change be lost for a hub, as where it was trimmed before it was read: the hub notices at the
// next, and reads all anew.
func TestPresenceMissed(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	h := startPresent(t, time.Minute, server.URL(), server.URL())
	h[1].put("lobby", "bob")
	h[0].awaitAll(t, h[1], "bob")
	var registration string
	for _, key := range keysAt(server, presenceKeys+"*:of:lobby") {
		registration = strings.TrimSuffix(strings.TrimPrefix(key, presenceKeys), ":of:lobby")
	}
	server.Do("ZADD", peopleKeyOf(registration, "lobby"), "0", "eve 1 N eve")
	server.Do("INCR", serialKey)
	h[1].put("other", "bob")
	h[0].awaitAll(t, h[1], "bob", "eve")
}

// TestPresenceLeastRights does everything as a user who may do what is said and no more; a user who may do less is
// refused, and told what is missing.
func TestPresenceLeastRights(t *testing.T) {
	t.Parallel()
	least := strings.Fields("-@all " + presenceRights)
	users := []string{"default off", "hub on >" + secret + " " + strings.Join(least, " ")}
	for _, right := range least {
		if right[0] == '+' || right[0] == '~' {
			rest := slices.DeleteFunc(slices.Clone(least), func(r string) bool { return r == right })
			users = append(users, "no"+right+" on >"+secret+" "+strings.Join(rest, " "))
		}
	}
	server := redistest.New(t, redistest.Options{Users: users})
	h := startPresent(t, shortLife, server.URLFor("hub", secret), server.URLFor("hub", secret))
	h[0].put("lobby", "ada")
	h[1].awaitAll(t, h[0], "ada")
	h[0].Remove(h[0].p, "lobby", "ada")
	h[1].awaitAll(t, h[0])
	server.Do("FLUSHALL")
	h[0].put("lobby", "bob")
	h[1].awaitAll(t, h[0], "bob")
	brokertest.AwaitPage(t, h[0].p, "lobby", 1)
	if err := h[0].p.Close(); err != nil {
		t.Error(err)
	}
	h[1].awaitAll(t, h[0])
	for _, user := range users[2:] {
		name, _, _ := strings.Cut(user, " ")
		p := newPresence(t, server.URLFor(name, secret), shortLife)
		err := p.Start(t.Context(), hub.HubID{ID: "x"}, 1, brokertest.NewPresenceReceiver(t, hub.HubID{ID: "x"}))
		if !errors.Is(err, hub.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") ||
			!strings.Contains(err.Error(), "give the user its rights: "+hubRights) {
			t.Errorf("user %s: %v, want an error that wraps ErrRefused and names the rights", name, err)
		}
		_ = p.Close()
	}
}

// TestPresenceQuiet counts what people cost at Redis while nobody comes or goes: nothing is published, and each hub says
// now and then that it is alive.
func TestPresenceQuiet(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	h := startPresent(t, shortLife, server.URL(), server.URL())
	for i := range 100 {
		h[0].put("lobby", fmt.Sprint("p", i))
	}
	h[1].AwaitCount("lobby", h[0].id, 100)
	if n := server.CommandCalls("publish"); n > 0 {
		t.Errorf("%d messages were published", n)
	}
	if n := server.CommandCalls("xadd"); n > 20 {
		t.Errorf("a hundred people who came at once were told with %d entries", n)
	}
}
