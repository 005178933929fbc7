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
			`FILE:1:7: bad hubs "two": a text instead of a number → for instance hubs: 2`, 3},
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
		{"durability that is none", new(HubServer), "durability: disk", nil, nil,
			`FILE:1:13: bad durability "disk": unknown → say memory, replicated or fsynced`, 3},
		{"durable in memory", new(HubServer), "durability: fsynced", nil, []string{"--broker", "memory://"},
			`bad --broker "memory://": a broker memory:// has no replicas and no disk for durability fsynced → ` +
				`name a Redis as the broker, or leave out durability`, 2},
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
