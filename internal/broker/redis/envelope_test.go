package redis

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

var everyPublication = []*hub.Publication{
	{
		Message: protocol.Message{
			Room: "lobby", ID: "c1/k1", From: protocol.Client{ID: "c1", Name: "Ada"}, Hub: "hub1",
			Time: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC), Kind: protocol.Text, Data: []byte("hé"),
		},
		Origin: "origin",
	},
	{
		Message: protocol.Message{
			Room: "a", Time: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), Kind: protocol.Binary, Data: []byte{0, 255, 128},
		},
		Origin: "origin",
	},
	{
		Message: protocol.Message{
			Room: strings.Repeat("r", protocol.MaxRoomName), ID: strings.Repeat("k", 300), Hub: "\xff",
			Time: time.UnixMicro(0).UTC(), Kind: protocol.JSON, Data: []byte("[" + strings.Repeat("1,", 40000) + "1]"),
		},
		Origin: "origin",
	},
}

// decode reads a whole envelope; invalid is how many publications are not allowed.
func decode(envelope string) (h header, ps []*hub.Publication, invalid int, err error) {
	h, rest, err := cutHeader(envelope)
	for err == nil && rest != "" {
		var p *hub.Publication
		p, rest, err = cutPublication(rest, h.origin)
		switch {
		case p != nil && err != nil:
			invalid++
			err = nil
		case p != nil:
			ps = append(ps, p)
		}
	}
	return h, ps, invalid, err
}

func TestEnvelope(t *testing.T) {
	h := header{broker: 0xfedcba9876543210, life: 300, origin: "origin"}
	envelope := appendHeader(nil, h)
	for _, p := range everyPublication {
		envelope = appendPublication(envelope, p)
	}
	gotHeader, got, invalid, err := decode(string(envelope))
	if err != nil || invalid != 0 || gotHeader != h {
		t.Fatalf("header %+v, %d invalid, %v", gotHeader, invalid, err)
	}
	if !reflect.DeepEqual(got, everyPublication) {
		t.Errorf("got %+v\nwant %+v", got, everyPublication)
	}
}

// TestEnvelopeBytes pins the format: hubs of different builds talk to each other.
func TestEnvelopeBytes(t *testing.T) {
	envelope := appendHeader(nil, header{broker: 0x0102030405060708, life: 300, origin: "or"})
	envelope = appendPublication(envelope, everyPublication[0])
	want := strings.Join([]string{
		"01",               // version
		"0102030405060708", // broker
		"ac02",             // life
		"02", "6f72",       // origin
		"01",                               // kind
		"000660f055521240",                 // time
		"05", "05", "02", "03", "04", "03", // lengths
		"6c6f626279", "63312f6b31", "6331", "416461", "68756231", "68c3a9",
	}, "")
	if got := hex.EncodeToString(envelope); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestEnvelopeCutOff decodes each beginning of an envelope: none is taken for a whole one, but where a publication
// ends.
func TestEnvelopeCutOff(t *testing.T) {
	envelope := appendHeader(nil, header{broker: 1, life: 2, origin: "origin"})
	ends := map[int]int{len(envelope): 0}
	for i, p := range everyPublication[:2] {
		envelope = appendPublication(envelope, p)
		ends[len(envelope)] = i + 1
	}
	for n := range len(envelope) + 1 {
		_, ps, invalid, err := decode(string(envelope[:n]))
		want, whole := ends[n]
		if whole != (err == nil) || whole && len(ps) != want || invalid != 0 {
			t.Errorf("the first %d of %d bytes: %d publications, %d invalid, %v", n, len(envelope), len(ps), invalid, err)
		}
	}
}

func TestEnvelopeInvalid(t *testing.T) {
	h := header{broker: 1, life: 2, origin: "origin"}
	publication := func(change func(*hub.Publication)) string {
		p := *everyPublication[0]
		change(&p)
		return string(appendPublication(appendHeader(nil, h), &p))
	}
	good := string(appendPublication(nil, everyPublication[0]))
	for _, c := range []struct {
		name     string
		envelope string
		invalid  int // followed by one that is allowed
	}{
		{name: "no room", envelope: publication(func(p *hub.Publication) { p.Room = "" }), invalid: 1},
		{name: "bad room", envelope: publication(func(p *hub.Publication) { p.Room = "a b" }), invalid: 1},
		{name: "kind 0", envelope: publication(func(p *hub.Publication) { p.Kind = 0 }), invalid: 1},
		{name: "unknown kind", envelope: publication(func(p *hub.Publication) { p.Kind = 4 }), invalid: 1},
		{name: "text not UTF-8", envelope: publication(func(p *hub.Publication) { p.Data = []byte{0xff} }), invalid: 1},
		{name: "no JSON", envelope: publication(func(p *hub.Publication) { p.Kind = protocol.JSON }), invalid: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ps, invalid, err := decode(c.envelope + good)
			if err != nil || invalid != c.invalid || len(ps) != 1 {
				t.Errorf("%d publications, %d invalid, %v", len(ps), invalid, err)
			}
		})
	}
	for _, c := range []struct {
		name, envelope string
		want           error
	}{
		{name: "empty", want: errShort},
		{name: "version 0", envelope: "\x00", want: errVersion},
		{name: "a later version", envelope: "\x02anything", want: errVersion},
		{name: "a longer form of life", envelope: "\x0112345678\x80\x00\x00", want: errShort},
		{name: "a life of more than 64 bits", envelope: "\x0112345678" + strings.Repeat("\xff", 9) + "\x02\x00", want: errShort},
		{name: "an origin past the end", envelope: "\x0112345678\x01" + strings.Repeat("\xff", 9) + "\x01", want: errShort},
		{
			name:     "lengths that overflow together",
			envelope: string(appendHeader(nil, h)) + "\x0112345678" + strings.Repeat(strings.Repeat("\xff", 9)+"\x01", 6),
			want:     errShort,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ps, invalid, err := decode(c.envelope); !errors.Is(err, c.want) || len(ps) != 0 || invalid != 0 {
				t.Errorf("%d publications, %d invalid, %v, want %v", len(ps), invalid, err, c.want)
			}
		})
	}
}

// FuzzEnvelope decodes anything: what is accepted encodes to the same bytes.
func FuzzEnvelope(f *testing.F) {
	envelope := appendHeader(nil, header{broker: 1, life: 2, origin: "origin"})
	f.Add(envelope)
	for _, p := range everyPublication[:2] {
		envelope = appendPublication(envelope, p)
		f.Add(envelope)
	}
	f.Add([]byte("\x02later"))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		h, ps, invalid, err := decode(string(envelope))
		for _, p := range ps {
			if err := protocol.CheckRoom(p.Room); err != nil {
				t.Errorf("accepted: %v", err)
			}
			if err := p.Kind.Check(p.Data); err != nil {
				t.Errorf("accepted: %v", err)
			}
		}
		if err != nil || invalid > 0 {
			return
		}
		again := appendHeader(nil, h)
		for _, p := range ps {
			again = appendPublication(again, p)
		}
		if !bytes.Equal(again, envelope) {
			t.Errorf("%x was read as %x", envelope, again)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	envelope := string(appendPublication(nil, everyPublication[0]))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := cutPublication(envelope, "origin"); err != nil {
			b.Fatal(err)
		}
	}
}
