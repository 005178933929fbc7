package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// samples has three values for each key: valid, none of them the default, each unlike the one before it.
// A key of the file alone has one. One of a command that differs from the others' has that before it.
var samples = map[string][3]string{
	"listen":            {"127.0.0.1:1", "[::1]:2", ":3"},
	"name":              {"a", "b", "c"},
	"admin_listen":      {"127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6"},
	"broker":            {"redis://user:secret@r1:6379", "rediss://r2", "redis://[::1]:6379/0"},
	"hub":               {"https://a.example", "http://b.example:81", "ws://c.example/x"},
	"proxy":             {"true", "false", "true"},
	"hubs":              {"3", "4", "5"},
	"host":              {"0.0.0.0", "::1", "localhost"},
	"hub_port":          {"1000", "2000", "0"},
	"web_port":          {"3000", "4000", "0"},
	"kind":              {"json", "binary", "json"},
	"count":             {"1", "2", "3"},
	"json":              {"true", "false", "true"},
	"allowed_origins":   {"https://a.example", "http://b.example:81,https://c.example", "app://d"},
	"allowed_hosts":     {"a.example", "b.example,c.example", "10.0.0.1"},
	"max_message":       {"1KiB", "100kB", "3B"},
	"send_queue":        {"1GiB", "2MB", "500KiB"},
	"rooms":             {`[{match: "a*", kind: live}, {match: "*", kind: log, history: 5, ttl: 1h}]`},
	"outbox":            {"1MiB", "2MB", "65KiB"},
	"outbox_age":        {"1s", "5m", "19m"},
	"presence_timeout":  {"1s", "5s", "1m"},
	"linger":            {"1s", "7s", "1m"},
	"key_ttl":           {"21m", "1h30m", "48h"},
	"check_interval":    {"1s", "2m", "1h"},
	"handshake_timeout": {"1s", "2m", "1h"},
	"ping_interval":     {"1s", "2m", "1h"},
	"pong_timeout":      {"1s", "2m", "1h"},
	"write_timeout":     {"1s", "2m", "1h"},
	"drain_timeout":     {"1s", "2m", "1h"},
	"engine":            {"goroutine", "auto", "goroutine"}, // epoll is not everywhere
	"loops":             {"1", "2", "3"},
	"tls_cert":          {"testdata/hub.pem", "./testdata/hub.pem", "../config/testdata/hub.pem"},
	"tls_key":           {"testdata/hub.key", "./testdata/hub.key", "../config/testdata/hub.key"},
	"broker_timeout":    {"2s", "2m", "1h"},
	"broker_ping":       {"1ms", "10ms", "100ms"},
	"broker_queue":      {"1KiB", "2MB", "3B"},
	"broker_silence":    {"1s", "2m", "1h"},
	"durability":        {"replicated", "fsynced", "replicated"},
	"broker_ca":         {"testdata/ca.pem", "./testdata/ca.pem", "../config/testdata/ca.pem"},
	"token_key":         {strings.Repeat("a", 32), strings.Repeat("b", 33), strings.Repeat("c", 34)},
	"token":             {"a.b.c", "d.e.f", "g.h.i"},
	"embedded":          {"true", "false", "true"},
	"protocol":          {"v1", "plain", "v1"},
	"conns":             {"2", "20", "200"},
	"publishers":        {"1", "2", "3"},
	"bench rooms":       {"2", "3", "4"},
	"room":              {"a", "b.c", "live.d"},
	"rate":              {"0", "1", "2"},
	"window":            {"1", "2", "3"},
	"size":              {"16B", "1KiB", "2MB"},
	"duration":          {"1s", "2m", "1h"},
	"warmup":            {"0s", "2m", "1h"},
	"drain":             {"1ms", "2m", "1h"},
	"idle":              {"true", "false", "true"},
	"assert":            {"p99<1s", "lost=0,p50<2ms", "max>1ns"},
	"hub_pid":           {"1", "2,3", "4"},
	"ca":                {"testdata/ca.pem", "./testdata/ca.pem", "../config/testdata/ca.pem"},
	"log.level":         {"debug", "warn", "error"},
	"log.format":        {"text", "json", "text"},
}

// besides has what keys need beside them to be valid with their samples.
var besides = map[string]string{
	"durability": "REALTIME_HUB_BROKER=redis://r",
	"tls_cert":   "REALTIME_HUB_TLS_KEY=testdata/hub.key",
	"tls_key":    "REALTIME_HUB_TLS_CERT=testdata/hub.pem",
}

// load runs a Loader for a new configuration of c on a file with yaml, where there is any, environ and args.
func load(t *testing.T, c Config, yaml string, environ, args []string) (*Loader, []string, error) {
	t.Helper()
	path := ""
	if yaml != "" {
		path = write(t, "realtime-hub.yaml", yaml)
	}
	l := NewLoader(c)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	l.AddFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	warnings, err := l.Load(path, environ)
	return l, warnings, err
}

// write returns the path of a new file called name with text.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// yamlOf returns a file that gives f the value that text stands for.
func yamlOf(f *Field, text string) string {
	if f.FileOnly() {
		return f.Key + ": " + text + "\n"
	}
	with := *f
	with.Default = text
	section, key, ok := strings.Cut(f.Key, ".")
	if !ok {
		return f.Key + ": " + with.yaml() + "\n"
	}
	return section + ":\n  " + key + ": " + with.yaml() + "\n"
}

// wantValue fails unless l has text under key, from the place that origin says.
func wantValue(t *testing.T, l *Loader, key, text string, origin Origin) {
	t.Helper()
	f := l.field(key)
	if got := f.Text(); got != text {
		t.Errorf("%s is %q, want %q", key, got, text)
	}
	if got := l.sources[key].Origin; got != origin {
		t.Errorf("%s comes from %v, want %v", key, l.sources[key], origin)
	}
}

// TestEveryKeyEveryWay proves the rule: each key of each command can be set by file, variable, variable with the name
// of a file, and flag, and these go before each other in the order that is promised. Keys of the file alone can be set
// there.
func TestEveryKeyEveryWay(t *testing.T) {
	for _, command := range Commands() {
		for _, f := range Fields(command.New()) {
			t.Run(command.Name+"/"+f.Key, func(t *testing.T) {
				values, ok := samples[command.Name+" "+f.Key]
				if !ok {
					values, ok = samples[f.Key]
				}
				if !ok {
					t.Fatalf("no samples for the key %s: add three", f.Key)
				}
				inFile, inEnv, inFlag := values[0], values[1], values[2]
				yaml := yamlOf(f, inFile)
				if f.FileOnly() {
					l, _, err := load(t, command.New(), yaml, nil, nil)
					if err != nil {
						t.Fatal(err)
					}
					wantValue(t, l, f.Key, inFile, FromFile)
					return
				}
				env := []string{f.Env() + "=" + inEnv}
				envFile := []string{f.Env() + "_FILE=" + write(t, "value", inEnv+"\n")}
				flag := []string{"--" + f.Flag() + "=" + inFlag}
				for _, tt := range []struct {
					name   string
					yaml   string
					env    []string
					args   []string
					want   string
					origin Origin
				}{
					{"nothing", "", nil, nil, f.Default, FromDefault},
					{"file", yaml, nil, nil, inFile, FromFile},
					{"variable", "", env, nil, inEnv, FromEnv},
					{"variable with a file", "", envFile, nil, inEnv, FromEnv},
					{"flag", "", nil, flag, inFlag, FromFlag},
					{"variable before file", yaml, env, nil, inEnv, FromEnv},
					{"variable with a file before file", yaml, envFile, nil, inEnv, FromEnv},
					{"flag before file", yaml, nil, flag, inFlag, FromFlag},
					{"flag before variable", "", env, flag, inFlag, FromFlag},
					{"flag before all", yaml, envFile, flag, inFlag, FromFlag},
				} {
					environ := tt.env
					if tt.origin != FromDefault {
						environ = append(environ, besides[f.Key])
					}
					l, warnings, err := load(t, command.New(), tt.yaml, environ, tt.args)
					if err != nil || len(warnings) > 0 {
						t.Fatalf("%s: error %v, warnings %q", tt.name, err, warnings)
					}
					wantValue(t, l, f.Key, tt.want, tt.origin)
				}
			})
		}
	}
}

// TestNamesAreUnique fails where two keys of a command would share a flag or a variable, or where the name of one looks
// like that of another one's file.
func TestNamesAreUnique(t *testing.T) {
	for _, command := range Commands() {
		seen := map[string]string{}
		for _, f := range Fields(command.New()) {
			for _, name := range []string{f.Flag(), f.Env(), f.Env() + envFileSuffix} {
				if other := seen[name]; other != "" {
					t.Errorf("%s: %s is the name of %s and of %s", command.Name, name, other, f.Key)
				}
				seen[name] = f.Key
			}
			if f.Usage == "" {
				t.Errorf("%s: %s has no usage", command.Name, f.Key)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	c := Default[HubServer]()
	if c.Listen != "127.0.0.1:8081" || c.Hub.MaxMessage != 64<<10 || c.Hub.PingInterval != 25*time.Second ||
		c.Log.Level != "info" || c.Redis.BrokerTimeout != time.Second {
		t.Errorf("defaults of hubserver: %+v", c)
	}
	if c.Hub.Outbox != 16<<20 || c.Hub.OutboxAge != 10*time.Minute || c.Hub.KeyTTL != 30*time.Minute ||
		c.Hub.CheckInterval != 20*time.Second {
		t.Errorf("defaults of log rooms: %+v", c.Hub)
	}
	if u := Default[Up](); u.Hubs != 2 || u.HubPort != 8081 || u.WebPort != 9081 || u.Broker != "memory://" {
		t.Errorf("defaults of up: %+v", u)
	}
	if h := Default[HubClient](); !slices.Equal(h.Hub, []string{"http://127.0.0.1:8081"}) || h.Proxy {
		t.Errorf("defaults of hubclient: %+v", h)
	}
	for _, command := range Commands() {
		if _, _, err := load(t, command.New(), "", nil, nil); err != nil {
			t.Errorf("%s: the defaults are not valid: %v", command.Name, err)
		}
	}
}

func TestLists(t *testing.T) {
	want := []string{"http://a", "http://b", "http://c"}
	for _, tt := range []struct {
		name, yaml string
		env, args  []string
	}{
		{name: "flag repeated", args: []string{"--hub", "http://a", "--hub=http://b,http://c"}},
		{name: "variable", env: []string{"REALTIME_HUB_HUB=http://a, http://b,,http://c,"}},
		{name: "file, block", yaml: "hub:\n- http://a\n- http://b\n- \"http://c\"\n"},
		{name: "file, flow", yaml: "hub: [http://a, http://b, 'http://c']"},
		{name: "file, text", yaml: "hub: http://a,http://b,http://c"},
	} {
		var c HubClient
		if _, _, err := load(t, &c, tt.yaml, tt.env, tt.args); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !slices.Equal(c.Hub, want) {
			t.Errorf("%s: %q, want %q", tt.name, c.Hub, want)
		}
	}
}

func TestBoolFlagWithoutValue(t *testing.T) {
	var c HubClient
	if _, _, err := load(t, &c, "", nil, []string{"--proxy"}); err != nil || !c.Proxy {
		t.Errorf("--proxy: %v, %v", c.Proxy, err)
	}
}

func TestEmptyVariableIsNotSet(t *testing.T) {
	var c HubServer
	environ := []string{"REALTIME_HUB_LISTEN=", "REALTIME_HUB_PING_INTERVAL=", "REALTIME_HUB_BROKER_FILE="}
	l, _, err := load(t, &c, "", environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantValue(t, l, "listen", "127.0.0.1:8081", FromDefault)
}

func TestEmptyFiles(t *testing.T) {
	for _, yaml := range []string{
		"\n", "# nothing\n", "---\n", "{}\n", "log:\n", "log: {}\n", "listen:\nbroker: ~\n", "\ufeff# mark\n",
	} {
		if _, _, err := load(t, new(HubServer), yaml, nil, nil); err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	_, warnings, err := load(t, new(HubServer), "", []string{
		"PATH=/bin",
		"REALTIME_HUB_BROKR=redis://x",          // misspelled
		"REALTIME_HUB_PORT_8081_TCP=tcp://1:80", // as Kubernetes makes them
		"REALTIME_HUB_WEB_PORT=9081",            // of another command
		"REALTIME_HUB_\x1b[2J=x",                // nothing to print as it is
		"REALTIME_HUB_MAX_MESAGE_FILE=/x",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`unknown environment variable "REALTIME_HUB_\x1b[2J" is ignored`,
		"unknown environment variable REALTIME_HUB_BROKR is ignored → did you mean REALTIME_HUB_BROKER ?",
		"unknown environment variable REALTIME_HUB_MAX_MESAGE_FILE is ignored → did you mean REALTIME_HUB_MAX_MESSAGE_FILE ?",
		"unknown environment variable REALTIME_HUB_PORT_8081_TCP is ignored",
	}
	if !slices.Equal(warnings, want) {
		t.Errorf("warnings:\n%s\nwant:\n%s", strings.Join(warnings, "\n"), strings.Join(want, "\n"))
	}
}

func TestValuesRedactSecrets(t *testing.T) {
	l, _, err := load(t, new(HubServer), "", []string{"REALTIME_HUB_BROKER=redis://user:hidden@r:6379"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range l.Values() {
		if strings.Contains(v.Text, "hidden") {
			t.Errorf("%s shows %q", v.Key, v.Text)
		}
		if v.Key == "broker" && (v.Text != "redis://***@r:6379" || v.Source.String() != "REALTIME_HUB_BROKER") {
			t.Errorf("broker: %+v", v)
		}
	}
}

// TestSharedFlags is what `config show` needs: one set of flags for several commands.
func TestSharedFlags(t *testing.T) {
	var hub HubServer
	var page HubClient
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	forHub, forPage := NewLoader(&hub), NewLoader(&page)
	forHub.AddFlags(fs)
	forPage.AddFlags(fs)
	if err := fs.Parse([]string{"--listen", ":1", "--name", "n"}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Loader{forHub, forPage} {
		if _, err := l.Load("", nil); err != nil {
			t.Fatal(err)
		}
	}
	if hub.Listen != ":1" || page.Listen != ":1" || hub.Name != "n" {
		t.Errorf("hubserver %q %q, hubclient %q", hub.Listen, hub.Name, page.Listen)
	}
	if forPage.HasFlag("name") || !forPage.HasFlag("log-level") {
		t.Error("hubclient has --log-level and no --name")
	}
}

// TestTemplate proves that the file that is made changes nothing as it is, and says the defaults once its number signs
// are taken away.
func TestTemplate(t *testing.T) {
	for _, command := range Commands() {
		text := Template(command.Name, command.New())
		if _, _, err := load(t, command.New(), text, nil, nil); err != nil {
			t.Errorf("%s: %v\n%s", command.Name, err, text)
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, "#")
		}
		l, _, err := load(t, command.New(), strings.Join(lines, "\n"), nil, nil)
		if err != nil {
			t.Errorf("%s: %v", command.Name, err)
			continue
		}
		for _, f := range l.fields {
			want := f.Default
			if f.FileOnly() { // its default is no value, but what the rules built in do
				want = format(reflect.ValueOf(builtIn))
			}
			wantValue(t, l, f.Key, want, FromFile)
		}
	}
}
