package redis

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// appendLogEnvelope is what the script publishes, as Go would write it.
func appendLogEnvelope(dst []byte, first hub.Position, messages ...*protocol.Message) []byte {
	dst = append(dst, logVersion)
	dst = fmt.Appendf(dst, "%s:%d;", first.Epoch, first.Offset)
	for _, m := range messages {
		dst = appendMessage(dst, m)
	}
	return dst
}

// roomy returns everyPublication's messages, all in one room.
func roomy(room string) (messages []*protocol.Message) {
	for _, p := range everyPublication {
		m := p.Message
		m.Room = room
		messages = append(messages, &m)
	}
	return messages
}

func TestLogEnvelope(t *testing.T) {
	messages := roomy("lobby")[:2]
	envelope := appendLogEnvelope(nil, hub.Position{Epoch: "E1", Offset: 41}, messages...)
	entries, err := decodeLogEnvelope(string(envelope), "lobby")
	if err != nil || len(entries) != len(messages) {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, e := range entries {
		if e.At != (hub.Position{Epoch: "E1", Offset: uint64(41 + i)}) || !reflect.DeepEqual(e.Message, messages[i]) {
			t.Errorf("entry %d: %v %+v\nwant %+v", i, e.At, e.Message, messages[i])
		}
	}
	for n := range envelope { // cut off anywhere, but between two messages
		got, err := decodeLogEnvelope(string(envelope[:n]), "lobby")
		if err == nil && len(appendLogEnvelope(nil, hub.Position{Epoch: "E1", Offset: 41}, messages[:len(got)]...)) != n {
			t.Errorf("the first %d of %d bytes are %d entries", n, len(envelope), len(got))
		}
	}
}

// TestLogRecordBytes pins the format: what is in Redis outlives the hub that put it there.
func TestLogRecordBytes(t *testing.T) {
	const want = "01" + "000660f055521240" + "050502030403" + // kind, time, lengths
		"6c6f626279" + "63312f6b31" + "6331" + "416461" + "68756231" + "68c3a9"
	if got := hex.EncodeToString(appendMessage(nil, &everyPublication[0].Message)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	raw, err := hex.DecodeString(want)
	if err != nil {
		t.Fatal(err)
	}
	if m := decodeRecord(string(raw), "lobby"); !reflect.DeepEqual(m, &everyPublication[0].Message) {
		t.Errorf("got %+v", m)
	}
	for name, record := range map[string]string{
		"empty": "", "cut off": string(raw[:len(raw)-1]), "two": string(raw) + string(raw), "junk": "junk",
	} {
		if m := decodeRecord(record, "lobby"); !reflect.DeepEqual(m, unreadable("lobby")) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m := decodeRecord(string(raw), "other"); !reflect.DeepEqual(m, unreadable("other")) {
		t.Errorf("of another room: %+v", m)
	}
}

func TestLogEnvelopeInvalid(t *testing.T) {
	good := string(appendMessage(nil, roomy("lobby")[0]))
	for _, c := range []struct {
		name, envelope string
		want           error
	}{
		{name: "empty", want: errShort},
		{name: "a later version", envelope: "\x02anything", want: errVersion},
		{name: "no header", envelope: "\x01E1", want: errShort},
		{name: "no epoch", envelope: "\x01:1;" + good, want: errShort},
		{name: "a bad epoch", envelope: "\x01E,1:1;" + good, want: errShort},
		{name: "no offset", envelope: "\x01E1:;" + good, want: errShort},
		{name: "offset 0", envelope: "\x01E1:0;" + good, want: errShort},
		{name: "a zero before the offset", envelope: "\x01E1:01;" + good, want: errShort},
		{name: "a sign before the offset", envelope: "\x01E1:+1;" + good, want: errShort},
		{name: "an offset too large", envelope: "\x01E1:18446744073709551616;" + good, want: errShort},
		{name: "no message", envelope: "\x01E1:1;", want: errShort},
		{name: "half a message", envelope: "\x01E1:1;" + good + good[:9], want: errShort},
	} {
		t.Run(c.name, func(t *testing.T) {
			if entries, err := decodeLogEnvelope(c.envelope, "lobby"); !errors.Is(err, c.want) || entries != nil {
				t.Errorf("%d entries, %v, want %v", len(entries), err, c.want)
			}
		})
	}
	// What is whole and not allowed keeps its place.
	strange := *roomy("lobby")[0]
	strange.Kind = 9
	envelope := appendLogEnvelope(nil, hub.Position{Epoch: "E1", Offset: 7}, roomy("lobby")[0], &strange, roomy("other")[0], roomy("lobby")[0])
	entries, err := decodeLogEnvelope(string(envelope), "lobby")
	if err != nil || len(entries) != 4 || entries[3].At.Offset != 10 {
		t.Fatalf("%+v, %v", entries, err)
	}
	for i, want := range []protocol.Kind{protocol.Text, 0, 0, protocol.Text} {
		if m := entries[i].Message; m.Kind != want || m.Room != "lobby" {
			t.Errorf("entry %d: %+v", i, m)
		}
	}
}

// FuzzLogEnvelope decodes anything: what is accepted encodes to the same bytes.
func FuzzLogEnvelope(f *testing.F) {
	f.Add([]byte("\x01E1:1;"))
	f.Add(appendLogEnvelope(nil, hub.Position{Epoch: "E1", Offset: 41}, roomy("lobby")...))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		entries, err := decodeLogEnvelope(string(envelope), "lobby")
		if err != nil {
			if entries != nil {
				t.Errorf("%d entries and %v", len(entries), err)
			}
			return
		}
		var messages []*protocol.Message
		for i, e := range entries {
			if e.At.Epoch != entries[0].At.Epoch || e.At.Offset != entries[0].At.Offset+uint64(i) || e.Message.Room != "lobby" {
				t.Errorf("entry %d: %v %+v", i, e.At, e.Message)
			}
			if e.Message.Kind == 0 {
				return // not allowed: it cannot be encoded again
			}
			messages = append(messages, e.Message)
		}
		if again := appendLogEnvelope(nil, entries[0].At, messages...); string(again) != string(envelope) {
			t.Errorf("%x was read as %x", envelope, again)
		}
	})
}

// FuzzLogRecord decodes anything as the message of an entry.
func FuzzLogRecord(f *testing.F) {
	for _, m := range roomy("lobby")[:2] {
		f.Add(appendMessage(nil, m))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		m := decodeRecord(string(record), "lobby")
		if m.Room != "lobby" {
			t.Errorf("a message of room %q", m.Room)
		}
		if m.Kind == 0 {
			return
		}
		if again := appendMessage(nil, m); string(again) != string(record) {
			t.Errorf("%x was read as %x", record, again)
		}
	})
}

// FuzzPosition decodes anything as the position of a duplicate.
func FuzzPosition(f *testing.F) {
	f.Add("E1:41")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePosition(text)
		if err != nil {
			return
		}
		if p.Epoch == "" || strings.Contains(p.Epoch, ":") || p.IsZero() {
			t.Errorf("%q was read as %v", text, p)
		}
	})
}

func TestCheckServer(t *testing.T) {
	const run = "run_id:0123456789abcdef0123456789abcdef01234567\r\n"
	for _, c := range []struct{ name, info, want string }{
		{name: "Redis 7", info: "# Server\r\nredis_version:7.0.15\r\n" + run},
		{name: "Redis 8", info: "redis_version:8.2.1\r\n" + run},
		{name: "Redis 6", info: "redis_version:6.2.14\r\n" + run, want: "need Redis 7 or later: this is 6.2.14"},
		{name: "no version", info: run, want: "no run_id or redis_version"},
		{name: "no run id", info: "redis_version:7.0.15\r\n", want: "no run_id or redis_version"},
		{name: "a strange run id", info: "redis_version:7.0.15\r\nrun_id:'..os.exit()..'\r\n", want: "no run_id"},
	} {
		got, err := checkServer(c.info)
		if c.want == "" && (err != nil || got != run[7:47]) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %q, %v, want … %s", c.name, got, err, c.want)
		}
	}
}

// TestScriptText looks at what is loaded: the first line first, one run id, and nothing that is yet to be replaced.
func TestScriptText(t *testing.T) {
	for _, text := range []string{publishText, readText} {
		script := scriptText(text, "RUNID")
		if !strings.HasPrefix(script, "#!lua") || strings.Count(script, "RUNID") < 1 || strings.Contains(script, "@RUN@") {
			t.Errorf("script:\n%s", script)
		}
		if scriptText(text, "OTHER") == script {
			t.Error("two processes have the same script")
		}
	}
}
