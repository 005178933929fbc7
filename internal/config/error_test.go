package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrors has what people see, whole: where, what, and what to do. FILE stands for the path of the file.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config Config
		yaml   string
		env    []string
		args   []string
		want   string // lines, one an error
		code   int    // of the first
	}{
		{"no scheme", new(HubServer), "", nil, []string{"--broker", "localhost:6379"},
			`bad --broker "localhost:6379": no scheme → did you mean redis://localhost:6379 ?`, 2},
		{"no scheme in a variable", new(HubServer), "", []string{"REALTIME_HUB_BROKER=localhost:6379"}, nil,
			`bad REALTIME_HUB_BROKER "localhost:6379": no scheme → did you mean redis://localhost:6379 ?`, 3},
		{"no scheme in the file", new(HubServer), "name: x\nbroker: localhost:6379", nil, nil,
			`FILE:2:9: bad broker "localhost:6379": no scheme → did you mean redis://localhost:6379 ?`, 3},
		{"unknown key", new(HubServer), "name: x\nsend_qeue: 1MiB", nil, nil,
			`FILE:2:1: unknown key "send_qeue" → did you mean send_queue ?`, 3},
		{"unknown key below", new(HubServer), "log:\n  levl: info", nil, nil,
			`FILE:2:3: unknown key "levl" → did you mean log.level ?`, 3},
		{"key at the wrong level", new(HubServer), "level: info", nil, nil,
			`FILE:1:1: unknown key "level" → did you mean log.level ?`, 3},
		{"key with a dot", new(HubServer), "log.level: info", nil, nil,
			`FILE:1:1: unknown key "log.level" → write log: and, indented on the next line, level:`, 3},
		{"key of another command", new(HubServer), "web_port: 9081", nil, nil,
			`FILE:1:1: unknown key "web_port" → that is a key of up alone`, 3},
		{"nothing like it", new(HubServer), "colour: red", nil, nil,
			`FILE:1:1: unknown key "colour"`, 3},
		{"wrong types", new(HubClient), "listen: 8081\nproxy: yes\nhub: {a: b}\nlog: loud", nil, nil,
			`FILE:1:9: bad listen "8081": a number instead of a text → for instance listen: "text, in quotes"
FILE:2:8: bad proxy "yes": a text instead of true or false → for instance proxy: true
FILE:3:6: bad hub "{": a group of keys instead of a list of texts → for instance hub: [ "one", "two" ]
FILE:4:6: log is a group of keys, not one → write the keys below it, indented`, 3},
		{"list with a number", new(HubServer), "allowed_hosts: [a, 1]", nil, nil,
			`FILE:1:20: bad allowed_hosts: a number instead of a text → for instance allowed_hosts: [ "one", "two" ]`, 3},
		{"no number", new(Up), "hubs: two", nil, nil,
			`FILE:1:7: bad hubs "two": a text instead of a whole number → for instance hubs: 2`, 3},
		{"duration without unit", new(HubServer), "ping_interval: 25", nil, []string{"--pong-timeout", "x"},
			`FILE:1:16: bad ping_interval "25": no unit → did you mean 25s ?
bad --pong-timeout "x": not a duration → a duration is a number with a unit, for instance 500ms, 10s or 1m30s`, 3},
		{"size", new(HubServer), "", nil, []string{"--max-message", "1kb"},
			`bad --max-message "1kb": not a size → ` + bytesRule, 2},
		{"twice", new(HubServer), "name: a\nname: b", nil, nil,
			`FILE:2:1: not YAML: mapping key "name" already defined at [1:1]`, 3},
		{"two documents", new(HubServer), "name: a\n---\nname: b", nil, nil,
			`FILE:2:1: a second document begins → leave out the line ---`, 3},
		{"no YAML", new(HubServer), "name: [a", nil, nil,
			`FILE:1:7: not YAML: sequence end token ']' not found`, 3},
		{"no keys", new(HubServer), "hello", nil, nil,
			`FILE:1:1: no key → write a key, a colon and a value, for instance listen: 127.0.0.1:8081`, 3},
		{"variable twice", new(HubServer), "", []string{"REALTIME_HUB_NAME=a", "REALTIME_HUB_NAME_FILE=/b"}, nil,
			`REALTIME_HUB_NAME: given together with REALTIME_HUB_NAME_FILE → keep one of the two`, 3},
		{"no file for a variable", new(HubServer), "", []string{"REALTIME_HUB_NAME_FILE=/no/such"}, nil,
			`REALTIME_HUB_NAME_FILE: cannot read /no/such: no such file or directory → ` +
				`name a file that holds the value alone, and that this user may read`, 3},
		{"a password for a broker", new(HubServer), "", []string{"REALTIME_HUB_BROKER=hunter2"}, nil,
			`bad REALTIME_HUB_BROKER "***": no scheme → for instance redis://localhost:6379`, 3},
		{"a broker without its host", new(HubServer), "broker: redis://hub:hunter2", nil, nil,
			`FILE:1:9: bad broker "***": not a URL redis://user:password@host:port → ` +
				`name the host, and in user and password write : / # ? % @ as %3A %2F %23 %3F %25 %40`, 3},
		{"a number for a broker", new(HubServer), "broker: 1234", nil, nil,
			`FILE:1:9: bad broker "***": a number instead of a text → for instance broker: "text, in quotes"`, 3},
		{"two hubs and a proxy", new(HubClient), "", nil, []string{"--proxy", "--hub", "http://a", "--hub", "http://b"},
			`bad --proxy "true": proxy passes on to one HubServer, and 2 are named → ` +
				`name one hub, or leave out proxy`, 2},
		{"two hubs in a variable", new(HubClient), "proxy: true", []string{"REALTIME_HUB_HUB=http://a,http://b"}, nil,
			`bad REALTIME_HUB_HUB "http://a,http://b": proxy passes on to one HubServer, and 2 are named → ` +
				`name one hub, or leave out proxy`, 3},
		{"no such authorities", new(HubServer), "", nil, []string{"--broker-ca", "/no/such"},
			`bad --broker-ca "/no/such": cannot read it: no such file or directory → ` +
				`name a file with certificates in PEM, which this user may read`, 2},
		{"authorities in a variable", new(Up), "", []string{"REALTIME_HUB_BROKER_CA=/no/such"}, nil,
			`bad REALTIME_HUB_BROKER_CA "/no/such": cannot read it: no such file or directory → ` +
				`name a file with certificates in PEM, which this user may read`, 3},
		{"no authorities", new(HubServer), "", nil, []string{"--broker-ca", "/dev/null"},
			`bad --broker-ca "/dev/null": it holds no certificate → ` +
				`name a file with certificates in PEM, which this user may read`, 2},
		{"authorities without TLS", new(HubServer), "broker: redis://:hunter2@h", nil,
			[]string{"--broker-ca", "testdata/ca.pem"},
			`bad --broker-ca "testdata/ca.pem": broker_ca is for TLS, which a broker redis:// does not use → ` +
				`write rediss:// as the broker, or leave out broker_ca`, 2},
		{"a certificate alone", new(HubServer), "tls_cert: testdata/hub.pem", nil, nil,
			`FILE:1:11: bad tls_cert "testdata/hub.pem": without tls_key it is of no use → ` +
				`name the file with the private key too`, 3},
		{"a key that is not the certificate's", new(HubServer), "", nil,
			[]string{"--tls-cert", "testdata/ca.pem", "--tls-key", "testdata/hub.key"},
			`bad --tls-cert "testdata/ca.pem": tls: private key does not match public key → ` +
				`name files with a certificate and its key in PEM, which this user may read`, 2},
		{"an engine that is none", new(Up), "", nil, []string{"--engine", "kqueue"},
			`bad --engine "kqueue": unknown → say auto, epoll or goroutine`, 2},
		{"too many loops", new(Up), "", nil, []string{"--loops", "1000"},
			`bad --loops "1000": not from 0 to 256 → leave it out, or say how many`, 2},
		{"durability that is none", new(HubServer), "durability: disk", nil, nil,
			`FILE:1:13: bad durability "disk": unknown → say memory, replicated or fsynced`, 3},
		{"durable in memory", new(HubServer), "durability: fsynced", nil, []string{"--broker", "memory://"},
			`bad --broker "memory://": a broker memory:// has no replicas and no disk for durability fsynced → ` +
				`name a Redis as the broker, or leave out durability`, 2},
		{"rooms: unknown key", new(HubServer), "rooms:\n- match: a\n  histroy: 5\n  colour: red", nil, nil,
			`FILE:3:3: unknown key "histroy" → did you mean history ?
FILE:4:3: unknown key "colour"`, 3},
		{"rooms: key of a rule outside", new(HubServer), "history: 5\nkind: live", nil, nil,
			`FILE:1:1: unknown key "history" → it is a key of the groups in rooms, for instance rooms: [ { match: "live.*", kind: live } ]
FILE:2:1: unknown key "kind" → it is a key of the groups in rooms, for instance rooms: [ { match: "live.*", kind: live } ]`, 3},
		{"rooms: of a page", new(HubClient), "rooms: []", nil, nil,
			`FILE:1:1: unknown key "rooms" → that is a key of hubserver and up alone`, 3},
		{"rooms: wrong types", new(Up), "rooms: [{match: 1, kind: yes, history: x, ttl: {}}, {match: a, history: 1.5}]", nil, nil,
			`FILE:1:17: bad rooms[0].match "1": a number instead of a text → for instance match: "text, in quotes"
FILE:1:40: bad rooms[0].history "x": a text instead of a whole number → for instance history: 2
FILE:1:48: bad rooms[0].ttl "{": a group of keys instead of a duration → for instance ttl: 10s
FILE:1:73: bad rooms[1].history "1.5": a number instead of a whole number → for instance history: 2`, 3},
		{"rooms: no unit", new(HubServer), "rooms: [{match: a, ttl: 24}]", nil, nil,
			`FILE:1:25: bad rooms[0].ttl "24": no unit → did you mean 24s ?`, 3},
		{"rooms: no list", new(HubServer), "rooms: {match: a}", nil, nil,
			`FILE:1:8: bad rooms "{": a group of keys instead of a list of groups of keys → for instance rooms: [ { match: "live.*", kind: live } ]`, 3},
		{"rooms: a text", new(HubServer), "rooms: live.*", nil, nil,
			`FILE:1:8: bad rooms "live.*": a text instead of a list of groups of keys → for instance rooms: [ { match: "live.*", kind: live } ]`, 3},
		{"rooms: no groups", new(HubServer), "rooms:\n- live.*\n-\n- {match: a}", nil, nil,
			`FILE:2:3: bad rooms[0] "live.*": a text instead of a group of keys → for instance { match: "live.*", kind: live }
FILE:3:2: bad rooms[1] "": nothing instead of a group of keys → for instance { match: "live.*", kind: live }`, 3},
		{"rooms: no pattern", new(HubServer), "rooms:\n- kind: live\n- {}\n- match: ''\n- match: ~", nil, nil,
			`FILE:2:3: bad rooms[0].match "": no pattern → ` + patternRule + `
FILE:3:3: bad rooms[1].match "": no pattern → ` + patternRule + `
FILE:4:10: bad rooms[2].match "": no pattern → ` + patternRule + `
FILE:5:3: bad rooms[3].match "": no pattern → ` + patternRule, 3},
		{"rooms: no such pattern", new(HubServer), "rooms: [{match: a b}, {match: 'é'}, {match: \"[a]\"}]", nil, nil,
			`FILE:1:17: bad rooms[0].match "a b": it has " " → ` + patternRule + `
FILE:1:31: bad rooms[1].match "é": it has "é" → ` + patternRule + `
FILE:1:45: bad rooms[2].match "[a]": it has "[" → ` + patternRule, 3},
		{"rooms: a long pattern", new(HubServer), "rooms: [{match: a" + strings.Repeat("*", 128) + "}]", nil, nil,
			`FILE:1:17: bad rooms[0].match "a` + strings.Repeat("*", 128) + `": more than 128 bytes → ` + patternRule, 3},
		{"rooms: a star without quotes", new(HubServer), "rooms:\n- match: *\n  kind: log", nil, nil,
			`FILE:2:10: not YAML: mapping value is not allowed in this context → put a value that begins with * in quotes: "*"`, 3},
		{"rooms: a star in braces without quotes", new(HubServer), "rooms: [{match: *}]", nil, nil,
			`FILE:1:18: not YAML: unexpected scalar value type → put a value that begins with * in quotes: "*"`, 3},
		{"rooms: an alias", new(HubServer), "rooms:\n- match: *.a", nil, nil,
			`FILE:2:10: bad rooms[0].match "*": an anchor, alias or tag instead of a text → for instance match: "text, in quotes"`, 3},
		{"rooms: no such kind", new(HubServer), "rooms: [{match: a, kind: lve, history: 0}]", nil, nil,
			`FILE:1:26: bad rooms[0].kind "lve": unknown → say log or live`, 3},
		{"rooms: live with history", new(HubServer), "rooms:\n- {match: a, history: 0, ttl: 1h, kind: live}", nil, nil,
			`FILE:2:23: bad rooms[0].history "0": ` + liveKeepsNothing + ` → leave it out, or make it kind: log
FILE:2:31: bad rooms[0].ttl "1h": ` + liveKeepsNothing + ` → leave it out, or make it kind: log`, 3},
		{"rooms: bounds", new(HubServer), "rooms: [{match: a, history: 0, ttl: 0s}, {match: b, history: 1000001, ttl: 876001h}]", nil, nil,
			`FILE:1:29: bad rooms[0].history "0": not from 1 to 1000000 → say how many messages are kept, for instance 1000
FILE:1:37: bad rooms[0].ttl "0s": not more than 0 → ` + durationRule + `
FILE:1:62: bad rooms[1].history "1000001": not from 1 to 1000000 → say how many messages are kept, for instance 1000
FILE:1:76: bad rooms[1].ttl "876001h": more than 876000h, a hundred years → choose a shorter time`, 3},
		{"rooms: twice", new(HubServer), "rooms:\n- match: a\n  match: b", nil, nil,
			`FILE:3:3: not YAML: mapping key "match" already defined at [2:3]`, 3},
		{"rooms: after all", new(HubServer), "rooms:\n- match: '*'\n- match: live.*\n  kind: live", nil, nil,
			`FILE:3:10: bad rooms[1].match "live.*": it never counts, as rooms[0], "*", comes first and matches all its rooms → ` +
				`put it before rooms[0], or leave it out`, 3},
		{"rooms: after a wider one", new(HubServer), "rooms: [{match: x}, {match: a*c}, {match: ab*bc}]", nil, nil,
			`FILE:1:43: bad rooms[2].match "ab*bc": it never counts, as rooms[1], "a*c", comes first and matches all its rooms → ` +
				`put it before rooms[1], or leave it out`, 3},
		{"rooms: the same again", new(HubServer), "rooms: [{match: a*}, {match: a**}]", nil, nil,
			`FILE:1:30: bad rooms[1].match "a**": it never counts, as rooms[0], "a*", comes first and matches all its rooms → ` +
				`leave one of the two out`, 3},
		{"ports overlap", new(Up), "", nil, []string{"--web-port", "8082"},
			`bad --web-port "8082": the ports of the pages, 8082–8083, and of the hubs, 8081–8082, overlap → keep them 2 apart`, 2},
		{"the flag is at fault", new(Up), "web_port: 8082", nil, []string{"--hubs", "3"},
			`bad --hubs "3": the ports of the pages, 8082–8084, and of the hubs, 8081–8083, overlap → keep them 3 apart`, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, _, err := load(t, tt.config, tt.yaml, tt.env, tt.args)
			var got []string
			code := 0
			Each(err, func(e *Error) {
				text := e.Error()
				if e.InFile() { // the path is a temporary one
					text = "FILE" + text[strings.Index(text, "realtime-hub.yaml")+len("realtime-hub.yaml"):]
				}
				got = append(got, text)
				if code == 0 {
					code = e.ExitCode()
				}
			})
			if strings.Join(got, "\n") != tt.want || code != tt.code {
				t.Errorf("exit code %d and\n%s\nwant %d and\n%s", code, strings.Join(got, "\n"), tt.code, tt.want)
			}
			if l == nil {
				t.Error("no loader")
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := NewLoader(new(HubServer)).Load(path, nil)
	want := path + ": cannot read the configuration: no such file or directory → make one with: realtime-hub config init"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.ExitCode() != 3 {
		t.Errorf("%v has the wrong exit code", err)
	}
}

func TestTooLargeFile(t *testing.T) {
	_, _, err := load(t, new(HubServer), strings.Repeat("#\n", maxFile/2)+"#", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "it has more than 64KiB") {
		t.Errorf("%v", err)
	}
}

// TestDeepFile proves that a file of thousands of levels is refused in order: a parser that calls itself for each level
// must not run out of stack.
func TestDeepFile(t *testing.T) {
	for _, open := range []string{"[", "{a: ", "{", "- ", "? "} {
		text := strings.Repeat(open, 8<<10/len(open)) // what the parser takes grows with the square
		if _, _, err := load(t, new(HubServer), text, nil, nil); err == nil {
			t.Errorf("%s… is no error", open)
		}
	}
}

// TestSecretsStayOut fails where a password appears in an error, however the URL is wrong.
func TestSecretsStayOut(t *testing.T) {
	for _, url := range []string{
		"redis://user:hidden", "user:hidden@localhost:6379", "redis://user:hid/hidden@host:6379", "redi://:hidden@host",
		"redis://user:hidden@ho st", "redis://user:hidden@:6379", "redis://user:hidden@host:port", "memory://hidden@x",
		"redis://user:%zz@hidden@host", "redis://user:a?hidden@host:6379", "redis://user:a#hidden@host:6379",
		"redis:user:hidden@host",
	} {
		_, _, err := load(t, new(HubServer), "", nil, []string{"--broker", url})
		if err == nil {
			t.Errorf("%s is no error", url)
		} else if url != "redis://user:hidden" && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
}
