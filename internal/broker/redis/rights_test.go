//go:build !short

package redis

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// leastRights is what doc.go says that a user for hubs needs.
const leastRights = "resetchannels &rh:live:* -@all +ping +publish +subscribe +unsubscribe +multi +discard"

func TestLeastRights(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{Users: []string{
		"default off",
		"hub on >" + secret + " " + leastRights,
		"hub3 on >" + secret + " " + leastRights + " +select",
	}})
	a := start(t, Options{URL: server.URLFor("hub", secret), Name: "hub 1"})
	b := start(t, Options{URL: server.URLFor("hub", secret), Name: "hub2"})
	c := start(t, Options{URL: server.URLFor("hub3", secret) + "/3", Name: "hub3"})
	for _, s := range []started{a, b, c} {
		s.AwaitIsolated(false)
	}
	publish(a, "sender", 0, 99)
	for _, s := range []started{b, c} { // pub/sub knows no databases
		s.AwaitID("sender/99")
		brokertest.CheckSequence(t, s.Got(), "sender", 0, 99)
	}
	names := map[string]int{}
	for _, client := range server.Clients() {
		for field := range strings.FieldsSeq(client) {
			if name, ok := strings.CutPrefix(field, "name="); ok {
				names[name]++
			}
		}
	}
	for _, name := range []string{"realtime-hub:hub-1", "realtime-hub:hub2", "realtime-hub:hub3"} {
		if names[name] != connections {
			t.Errorf("%d connections are called %s, want %d", names[name], name, connections)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	rights := func(without string) string {
		return "hub on >" + secret + " " + strings.Replace(leastRights, without, "", 1)
	}
	for _, c := range []struct {
		name     string
		opts     redistest.Options
		user     string
		password string
		path     string
		want     []string
	}{
		{
			name: "wrong password", opts: redistest.Options{Password: "right"}, password: secret,
			want: []string{"WRONGPASS", "check user and password"},
		},
		{
			name: "no password", opts: redistest.Options{Password: secret},
			want: []string{"NOAUTH", "put user and password into the broker's URL"},
		},
		{
			name: "unknown user", user: "nobody", password: secret,
			want: []string{"WRONGPASS", "check user and password"},
		},
		{
			name: "no such database", path: "/99",
			want: []string{"DB index is out of range", "check the database"},
		},
		{
			name: "other channels", user: "hub", password: secret,
			opts: redistest.Options{Users: []string{rights("rh:live:*")}},
			want: []string{"NOPERM", leastChannels},
		},
		{
			name: "no publish", user: "hub", password: secret,
			opts: redistest.Options{Users: []string{rights("+publish")}},
			want: []string{"NOPERM", "'publish'", leastChannels},
		},
		{
			name: "no subscribe", user: "hub", password: secret,
			opts: redistest.Options{Users: []string{rights("+subscribe")}},
			want: []string{"NOPERM", "'subscribe'", leastChannels},
		},
		{
			name: "no ping", user: "hub", password: secret,
			opts: redistest.Options{Users: []string{rights("+ping")}},
			want: []string{"NOPERM", "'ping'", leastChannels},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.New(t, c.opts)
			b, _ := newBroker(t, Options{URL: server.URLFor(c.user, c.password) + c.path})
			r := brokertest.NewReceiver(t)
			err := b.Start(t.Context(), r)
			if !errors.Is(err, hub.ErrRefused) {
				t.Fatalf("start: %v, want an error that wraps ErrRefused", err)
			}
			for _, want := range append(c.want, "Redis at "+server.Addr()+" refuses: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("start: %v\nwithout %q", err, want)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the password: %v", err)
			}
			if _, changes, _ := r.Isolated(); changes != 0 {
				t.Errorf("SetIsolated was called %d times", changes)
			}
			if n := server.CommandCalls("publish"); n != 0 {
				t.Errorf("%d publishes to ask for the right to", n)
			}
		})
	}
}

// leastChannels stands in the advice for users without rights.
const leastChannels = "resetchannels &rh:*"

// TestRefusedLater takes the user away while the broker is connected, and gives it back.
func TestRefusedLater(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{Users: []string{"hub on >" + secret + " " + leastRights}})
	a := start(t, Options{URL: server.URLFor("hub", secret)})
	b := start(t, Options{URL: server.URLFor("hub", secret)})
	a.AwaitIsolated(false)
	b.AwaitIsolated(false)
	server.Do("ACL", "DELUSER", "hub") // Redis closes its connections
	a.AwaitIsolated(true)
	b.AwaitIsolated(true)
	server.Do(append([]string{"ACL", "SETUSER", "hub", "on", ">" + secret}, strings.Fields(leastRights)...)...)
	a.AwaitIsolated(false)
	b.AwaitIsolated(false)
	publish(a, "sender", 0, 9)
	b.AwaitID("sender/9")
	brokertest.CheckSequence(t, b.Got(), "sender", 0, 9)
}

// TestPublishRightTakenAway takes PUBLISH away while the broker is connected: it is isolated, and counts what it lost.
func TestPublishRightTakenAway(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{Users: []string{"hub on >" + secret + " " + leastRights}})
	a := start(t, Options{URL: server.URLFor("hub", secret)})
	a.AwaitIsolated(false)
	server.Do("ACL", "SETUSER", "hub", "-publish")
	publish(a, "sender", 0, 0)
	a.AwaitIsolated(true)
	if _, _, why := a.Isolated(); !errors.Is(why, hub.ErrRefused) || !strings.Contains(why.Error(), "'publish'") {
		t.Errorf("isolated: %v", why)
	}
	if got := a.Stats().Dropped[hub.DropBrokerError]; got != 1 {
		t.Errorf("%d publications counted as not confirmed, want 1", got)
	}
	server.Do("ACL", "SETUSER", "hub", "+publish")
	a.AwaitIsolated(false)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{
		TLS: true, Password: secret, Config: []string{"bind 127.0.0.1 127.0.0.2"}, // the certificate is for the first
	})
	plain := redistest.New(t, redistest.Options{})
	for _, c := range []struct {
		name, url, caFile, want string
		timeout                 time.Duration
	}{
		{name: "trusted", url: server.URL(), caFile: server.CAFile()},
		{
			name: "trusted by another name", caFile: server.CAFile(),
			url: strings.Replace(server.URL(), "127.0.0.1", "localhost", 1),
		},
		{
			name: "strange authority", url: server.URL(), caFile: redistest.StrangeCAFile(t),
			want: "is not trusted: x509: certificate signed by unknown authority",
		},
		{
			name: "the system's authorities", url: server.URL(),
			want: "is not trusted: x509: certificate signed by unknown authority",
		},
		{
			name: "a name it was not signed for", caFile: server.CAFile(),
			url:  strings.Replace(server.URL(), "127.0.0.1", "127.0.0.2", 1),
			want: "is not trusted: x509: certificate is valid for 127.0.0.1, not 127.0.0.2",
		},
		{
			name: "no TLS there", caFile: server.CAFile(), url: strings.Replace(plain.URL(), "redis:", "rediss:", 1),
			// It waits for more of what it takes for a command.
			timeout: DefaultTimeout,
			want:    "no answer to the TLS handshake within 1s (is it redis:// instead of rediss:// ?)",
		},
		{
			name: "TLS there", url: strings.Replace(server.URL(), "rediss:", "redis:", 1),
			want: "does not answer",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, Options{URL: c.url, CAFile: c.caFile, Timeout: c.timeout})
			isolated, _, why := b.Isolated()
			if isolated != (c.want != "") || isolated && !strings.Contains(why.Error(), c.want) {
				t.Errorf("isolated: %v: %v\nwant … %s", isolated, why, c.want)
			}
		})
	}
}
