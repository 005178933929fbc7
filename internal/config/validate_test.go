package config

import (
	"strings"
	"testing"
	"time"
)

func TestValidateValues(t *testing.T) {
	for _, tt := range []struct {
		config Config
		flag   string
		value  string
		want   string // in the error; empty where the value is right
	}{
		{new(HubServer), "listen", ":8081", ""},
		{new(HubServer), "listen", "localhost:0", ""},
		{new(HubServer), "listen", "[::1]:8081", ""},
		{new(HubServer), "listen", "8081", "no port → did you mean 127.0.0.1:8081 ?"},
		{new(HubServer), "listen", "localhost", "no port → did you mean localhost:8081 ?"},
		{new(HubServer), "listen", "http://127.0.0.1:8081", "did you mean 127.0.0.1:8081 ?"},
		{new(HubServer), "listen", "127.0.0.1:65536", `"65536" is not a port`},
		{new(HubServer), "listen", "127.0.0.1:+1", `"+1" is not a port`},
		{new(HubServer), "listen", "127.0.0.1:http", `"http" is not a port`},
		{new(HubServer), "listen", "::1:8081", "no port"},
		{new(HubServer), "listen", "a b:1", `"a b" is neither a host name nor an IP address`},
		{new(HubServer), "listen", "", "no port"},
		{new(HubServer), "admin-listen", "9090", "no port"},
		{new(HubServer), "admin-listen", "127.0.0.1:8081", "the same as listen"},
		{new(HubServer), "name", "a\nb", "control character"},
		{new(HubServer), "name", strings.Repeat("n", 129), "more than 128 bytes"},

		{new(HubServer), "broker", "memory://", ""},
		{new(HubServer), "broker", "redis://localhost", ""},
		{new(HubServer), "broker", "rediss://user:p%40ss@redis.example:6380", ""},
		{new(HubServer), "broker", "redis://my_redis:6379", ""},
		{new(HubServer), "broker", "", "empty"},
		{new(HubServer), "broker", "memory", "did you mean memory:// ?"},
		{new(HubServer), "broker", "memory://x", "write memory:// alone"},
		{new(HubServer), "broker", "redi://localhost", "did you mean redis://localhost ?"},
		{new(HubServer), "broker", "redis+sentinel://localhost", "use memory://, redis:// or rediss:// (TLS)"},
		{new(HubServer), "broker", "redis://", "no host"},
		{new(HubServer), "broker", "redis://host:", "no port behind the colon"},
		{new(HubServer), "broker", "redis://host:0", "no port behind the colon"},
		{new(HubServer), "broker", "redis://u:a/b@host:1", "not a URL"},
		{new(HubServer), "broker", "redis://1:1/b@host:1", "not a URL"},
		{new(HubServer), "broker", "redis://host:1/2", ""},
		{new(HubServer), "broker", "redis://host:1/two", "no database"},
		{new(HubServer), "broker", "redis://host:1?db=2", "it goes on after the address"},
		{new(HubServer), "broker", "redi://hub:1!2", "did you mean redis:// ?"},
		{new(HubServer), "broker", "pass://word", `"***": unknown scheme → use memory://`},

		{new(HubServer), "allowed-origins", "https://a.example", ""},
		{new(HubServer), "allowed-origins", "http://[::1]:80", ""},
		{new(HubServer), "allowed-origins", "*", "every page in the world"},
		{new(HubServer), "allowed-origins", "a.example", "did you mean https://a.example ?"},
		{new(HubServer), "allowed-origins", "https://a.example/", "did you mean https://a.example ?"},
		{new(HubServer), "allowed-origins", "https://A.example", "did you mean https://a.example ?"},
		{new(HubServer), "allowed-origins", "https://a.example:x", "not an origin"},
		{new(HubServer), "allowed-origins", "https://u@a.example", "did you mean https://a.example ?"},
		{new(HubServer), "allowed-origins", "null", "no scheme"},
		{new(HubServer), "allowed-hosts", "chat.example", ""},
		{new(HubServer), "allowed-hosts", "chat.example:8081", "did you mean chat.example ?"},
		{new(HubServer), "allowed-hosts", "-", "neither a host name nor an IP address"},

		{new(HubServer), "max-message", "0", "not from 1B to 2GiB"},
		{new(HubServer), "send-queue", "2GiB", "not from 1B to 2GiB"},
		{new(HubServer), "send-queue", "448KiB", ""},
		{new(HubServer), "send-queue", "458751", "one message of max_message, 64KiB, may not fit"},
		{new(HubServer), "send-queue", "100B", "→ set send_queue to 448KiB or more, or max_message lower"},
		{new(Up), "send-queue", "100B", "→ set send_queue to 448KiB or more, or max_message lower"},
		{new(HubServer), "max-message", "160KiB", ""},
		{new(HubServer), "max-message", "163841B", "→ set send_queue to 1048582B or more, or max_message lower"},
		{new(HubServer), "max-message", "2147483647B", "→ set max_message to 341MiB or less"},
		{new(HubServer), "outbox", "0", "not from 1B to 2GiB"},
		{new(HubServer), "outbox", "65KiB", ""},
		{new(HubServer), "outbox", "66559B", "one message of max_message, 64KiB, may not fit → " +
			"set outbox to 65KiB or more, or max_message lower"},
		{new(Up), "outbox", "1B", "set outbox to 65KiB or more"},
		{new(HubServer), "max-message", "16MiB", "→ set outbox to 16385KiB or more, or max_message lower"},
		{new(HubServer), "outbox-age", "0s", "not more than 0"},
		{new(HubServer), "outbox-age", "19m", ""},
		{new(HubServer), "outbox-age", "19m1s", "a message may be tried again after its key is forgotten"},
		{new(HubServer), "outbox-age", "19m1s", "→ set key_ttl to 30m1s or more, or outbox_age to 19m or less"},
		{new(HubServer), "outbox-age", "2562047h", "more than 876000h, a hundred years"},
		{new(HubServer), "key-ttl", "21m", ""},
		{new(HubServer), "key-ttl", "20m59s", "→ set key_ttl to 21m or more, or outbox_age to 9m59s or less"},
		{new(HubServer), "key-ttl", "11m", "→ set key_ttl to 21m or more"},
		{new(Up), "key-ttl", "1s", "→ set key_ttl to 21m or more"},
		{new(HubServer), "key-ttl", "-1s", "not more than 0"},
		{new(HubServer), "key-ttl", "876000h", ""},
		{new(HubServer), "key-ttl", "876001h", "more than 876000h, a hundred years"},
		{new(HubServer), "check-interval", "0s", "not more than 0"},
		{new(HubServer), "broker-queue", "-1", "not a size"},
		{new(HubServer), "ping-interval", "0s", "not more than 0"},
		{new(HubServer), "drain-timeout", "-1s", "not more than 0"},
		{new(HubServer), "broker-ping", "1s", "not less than broker_timeout, 1s"},
		{new(HubServer), "broker-silence", "0s", "not more than 0"},
		{new(HubServer), "durability", "memory", ""},
		{new(HubServer), "durability", "disk", "say memory, replicated or fsynced"},
		{new(HubServer), "durability", "replicated", "a broker memory:// has no replicas and no disk"},
		{new(Up), "durability", "fsynced", "→ name a Redis as the broker, or leave out durability"},
		{new(HubServer), "log-level", "loud", "say debug, info, warn or error"},
		{new(HubServer), "log-format", "xml", "say auto, text or json"},

		{new(HubClient), "hub", "https://hub.example/realtime", ""},
		{new(HubClient), "hub", "wss://hub.example", ""},
		{new(HubClient), "hub", "", "no HubServer"},
		{new(HubClient), "hub", "localhost:8081", "did you mean http://localhost:8081 ?"},
		{new(HubClient), "hub", "htp://localhost:8081", "did you mean http://localhost:8081 ?"},
		{new(HubClient), "hub", "ftp://localhost", "unknown scheme"},
		{new(HubClient), "hub", "http://", "no host"},
		{new(HubClient), "hub", "http://h:", "no port behind the colon"},
		{new(HubClient), "hub", "http://h/?x=y", "more than scheme, host, port and path"},
		{new(HubClient), "hub", "http://u:p@h", "more than scheme, host, port and path"},
		{new(HubClient), "hub", "http://h h", "not a URL"},
		{new(HubClient), "hub", "http://h/ b", "it has a space"},
		{new(HubClient), "allowed-hosts", "chat.example", ""},
		{new(HubClient), "allowed-hosts", "chat.example:443", "did you mean chat.example ?"},
		{new(HubClient), "proxy", "maybe", "say true or false"},

		{new(Up), "hubs", "1", ""},
		{new(Up), "hubs", "0", "not from 1 to 100"},
		{new(Up), "hubs", "1e3", "not a whole number"},
		{new(Up), "hub-port", "65535", "2 ports from there end beyond 65535"},
		{new(Up), "hub-port", "-1", "not a port"},
		{new(Up), "hub-port", "9080", "overlap"},
		{new(Up), "hub-port", "9079", ""},
		{new(Up), "hub-port", "9083", ""},
		{new(Up), "web-port", "0", ""},
		{new(Up), "host", "0.0.0.0", ""},
		{new(Up), "host", "127.0.0.1:80", "did you mean 127.0.0.1 ?"},

		{new(Pub), "kind", "xml", "say text, json or binary"},
		{new(Pub), "count", "-1", "less than 0"},
		{new(Sub), "count", "-1", "less than 0"},
		{new(Sub), "hub", "x", "no scheme"},
	} {
		_, _, err := load(t, tt.config, "", nil, []string{"--" + tt.flag + "=" + tt.value})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("--%s %q: %v", tt.flag, tt.value, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("--%s %q: %v, want %q", tt.flag, tt.value, err, tt.want)
		case tt.want != "" && !strings.HasPrefix(err.Error(), "bad --"+tt.flag+" "):
			t.Errorf("--%s %q: the error does not name the flag: %v", tt.flag, tt.value, err)
		}
	}
}

func TestDurability(t *testing.T) {
	for _, durability := range []string{"memory", "replicated", "fsynced"} {
		for _, broker := range []string{"redis://r", "rediss://r"} {
			c := Default[HubServer]()
			args := []string{"--durability", durability, "--broker", broker}
			if _, _, err := load(t, &c, "", nil, args); err != nil || c.Redis.Durability != durability {
				t.Errorf("%q: %q, %v", args, c.Redis.Durability, err)
			}
		}
	}
}

// TestValidateAlone is for callers without a Loader: the error names the key.
func TestValidateAlone(t *testing.T) {
	c := Default[HubServer]()
	c.Log.Level = "loud"
	c.Hub.PingInterval = -time.Second
	want := `bad ping_interval "-1s": not more than 0 → ` + durationRule + "\n" +
		`bad log.level "loud": unknown → say debug, info, warn or error`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestGuess(t *testing.T) {
	known := []string{"listen", "name", "broker", "send_queue"}
	for word, want := range map[string]string{
		"lisen": "listen", "lsiten": "listen", "sendqueue": "send_queue", "Name": "name", "brokers": "broker",
		"x": "", "": "", "queue": "", strings.Repeat("listen", 1000): "",
	} {
		if got := Guess(word, known); got != want {
			t.Errorf("Guess(%.20q) = %q, want %q", word, got, want)
		}
	}
}
