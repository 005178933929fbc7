//go:build !short

package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestLogLeastRights does everything as users who may do what doc.go says and no more; a user who may do less is
// refused, and told what is missing.
func TestLogLeastRights(t *testing.T) {
	t.Parallel()
	least := strings.Fields("-@all " + logRights)
	users := []string{
		"default off",
		"hub on >" + secret + " " + strings.Join(least, " "),
		"replicated on >" + secret + " " + strings.Join(least, " ") + " +wait",
		"fsynced on >" + secret + " " + strings.Join(least, " ") + " +config|get",
	}
	for _, right := range least {
		if right[0] == '+' || right[0] == '~' || right[0] == '&' {
			rest := slices.DeleteFunc(slices.Clone(least), func(r string) bool { return r == right })
			users = append(users, "no"+right+" on >"+secret+" "+strings.Join(rest, " "))
		}
	}
	server := redistest.New(t, redistest.Options{
		Users: users, Config: []string{"appendonly yes", "appendfsync always"},
	})
	for user, durability := range map[string]Durability{"hub": InMemory, "fsynced": Fsynced} {
		log := startLog(t, LogOptions{Options: Options{URL: server.URLFor(user, secret)}, Durability: durability})
		log.Subscribe("lobby", 1)
		log.AwaitConfirmed("lobby", 1)
		log.append(t, 1, 3)
		log.AwaitOffset("lobby", 3)
		log.read(t, at("none", 1))
		log.Unsubscribe("lobby")
		log.Subscribe("other", 1)
		log.AwaitConfirmed("other", 1)
		server.Do("SCRIPT", "FLUSH")
		log.append(t, 4, 4)
		server.Do("FLUSHALL")
		if err := log.echoed(t); err != nil {
			t.Error(err)
		}
	}
	for _, user := range users[4:] {
		name, _, _ := strings.Cut(user, " ")
		if name == "no+unsubscribe" {
			continue // found out only when the first room is left
		}
		log, _ := newLog(t, LogOptions{Options: Options{URL: server.URLFor(name, secret)}})
		err := log.Start(t.Context(), brokertest.NewLogReceiver(t))
		if !errors.Is(err, hub.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") ||
			!strings.Contains(err.Error(), "give the user its rights: "+hubRights) {
			t.Errorf("user %s: %v, want an error that wraps ErrRefused and names the rights", name, err)
		}
	}
	log, _ := newLog(t, LogOptions{Options: Options{URL: server.URLFor("hub", secret)}, Durability: Fsynced})
	if err := log.Start(t.Context(), brokertest.NewLogReceiver(t)); !errors.Is(err, hub.ErrRefused) ||
		!strings.Contains(err.Error(), "+config|get") {
		t.Errorf("without the right to ask for the durability: %v", err)
	}
}

// echoed has the log try out its subscribed connection.
func (l startedLog) echoed(t *testing.T) error {
	t.Helper()
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.link.echoed()
}

// TestLogRightTakenAway takes a right of the scripts away while the log is connected: it is away, and says why.
func TestLogRightTakenAway(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{Users: []string{"hub on >" + secret + " -@all " + logRights}})
	log := startLogAt(t, server.URLFor("hub", secret))
	server.Do("ACL", "SETUSER", "hub", "-xadd")
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 1)); !errors.Is(err, hub.ErrUnknown) {
		t.Errorf("append without the right: %v, want ErrUnknown", err)
	}
	log.AwaitAway(true)
	server.Do("ACL", "SETUSER", "hub", "+xadd")
	log.AwaitAway(false)
	if a := log.append(t, 1, 1); a.Duplicate {
		t.Errorf("what was refused: %+v", a)
	}
}

// TestLogFsynced starts logs at servers that write their file in other ways.
func TestLogFsynced(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config []string
		want   string // in the error
	}{
		{want: "set appendonly yes and appendfsync always in redis.conf"},
		{config: []string{"appendonly yes"}, want: "set appendfsync always in redis.conf"},
		{config: []string{"appendfsync always"}, want: "set appendonly yes in redis.conf"},
	} {
		server := redistest.New(t, redistest.Options{Config: c.config})
		log, _ := newLog(t, LogOptions{Options: Options{URL: server.URL()}, Durability: Fsynced})
		err := log.Start(t.Context(), brokertest.NewLogReceiver(t))
		if !errors.Is(err, hub.ErrNotDurable) || !strings.Contains(err.Error(), c.want) ||
			!strings.HasPrefix(err.Error(), "Redis at "+server.Addr()+": ") {
			t.Errorf("%v: %v\nwant … %s", c.config, err, c.want)
		}
	}
	if _, err := NewLog(LogOptions{Options: Options{URL: "redis://h"}, Durability: "some"}); err == nil ||
		!strings.Contains(err.Error(), "memory, replicated or fsynced") {
		t.Errorf("an unknown durability: %v", err)
	}
}

// TestLogReplicated waits for a replica: without one nothing is acknowledged, and what was stored all the same is told
// as a duplicate when there is one.
func TestLogReplicated(t *testing.T) {
	t.Parallel()
	opts := redistest.Options{
		Config: []string{"repl-diskless-sync-delay 0"},
		Users:  []string{"hub on >" + secret + " -@all " + logRights + " +wait"},
	}
	primary, replica := redistest.New(t, opts), redistest.New(t, opts)
	log := startLog(t, LogOptions{
		Options: Options{URL: primary.URLFor("hub", secret), Timeout: hang}, Durability: Replicated,
	})
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 1)); !errors.Is(err, hub.ErrUnknown) {
		t.Errorf("append without a replica: %v, want ErrUnknown", err)
	}
	follow(t, log.LogReceiver, replica, primary)
	if a := log.append(t, 1, 1); !a.Duplicate || a.At.Offset != 1 {
		t.Errorf("the same with a replica: %+v", a)
	}
	last := log.append(t, 2, 20)
	if n := replica.Do("XLEN", streamKey("lobby")); n != "20" {
		t.Errorf("the replica has %s entries, of 20 that are acknowledged", n)
	}
	if away, changes, why := log.Away(); away || changes != 1 {
		t.Errorf("away: %v, told %d times: %v", away, changes, why)
	}
	primary.Kill()
	promote(replica)
	other := startLogAt(t, replica.URL())
	if a := other.append(t, 20, 20); !a.Duplicate || a.At != last.At {
		t.Errorf("what was acknowledged is at %v, the replica that was promoted has %+v", last.At, a)
	}
}
