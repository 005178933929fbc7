package logroom_test

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

func TestParseForks(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		ok   bool
	}{
		{name: "one", text: "e1:1", ok: true},
		{name: "empty epochs", text: "e1:1,e2:6,e3:6", ok: true},
		{name: "empty", text: ""},
		{name: "no start", text: "e1"},
		{name: "start 0", text: "e1:0"},
		{name: "no epoch", text: ":1"},
		{name: "backwards", text: "e1:5,e2:4"},
		{name: "twice", text: "e1:1,e1:4"},
		{name: "trailing comma", text: "e1:1,"},
		{name: "negative", text: "e1:-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := logroom.ParseForks(tt.text)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v, %v", f, err)
			}
			if tt.ok && f.String() != tt.text {
				t.Errorf("got %s, want %s", f, tt.text)
			}
		})
	}
}

// FuzzParseForks looks for lists that are read and told differently.
func FuzzParseForks(f *testing.F) {
	for _, s := range []string{"e1:1,e2:6", "", ",", "a:1,b:18446744073709551615", "a:01", "a:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := logroom.ParseForks(text)
		if err != nil {
			return
		}
		again, err := logroom.ParseForks(list.String())
		if err != nil || again.String() != list.String() {
			t.Errorf("%q becomes %q, then %v, %v", text, list, again, err)
		}
		if len(list) == 0 || len(list) > logroom.MaxForks {
			t.Errorf("%d forks", len(list))
		}
		for _, at := range []uint64{0, list[0].Start, list[len(list)-1].Start, 1 << 63} {
			if p := list.At(at); p.Offset != at || p.IsZero() {
				t.Errorf("the position at %d is %v", at, p)
			}
		}
	})
}

func TestForksAt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		forks  string
		offset uint64
		want   string
	}{
		{name: "whose entry stands there", forks: "a:1,b:6,c:9", offset: 5, want: "a:5"},
		{name: "first of an epoch", forks: "a:1,b:6,c:9", offset: 6, want: "b:6"},
		{name: "top without an entry of the newest", forks: "a:1,b:6", offset: 5, want: "a:5"},
		{name: "before all that is listed", forks: "a:4,b:6", offset: 2, want: "a:2"},
		{name: "nothing stored", forks: "a:1", offset: 0, want: "a:0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := forks(tt.forks).At(tt.offset); got != pos(tt.want) {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// TestRing compares the ring with a plain slice.
func TestRing(t *testing.T) {
	for _, tt := range []struct {
		name         string
		limit, bytes int
		push         uint64
		cut, more    uint64
		oldest       uint64
	}{
		{name: "all fits", limit: 10, bytes: 1 << 20, push: 5, cut: 9, oldest: 1},
		{name: "by number", limit: 3, bytes: 1 << 20, push: 10, cut: 10, oldest: 8},
		{name: "by bytes", limit: 100, bytes: 2 * logroom.Size(message("B/1")), push: 9, cut: 9, oldest: 8},
		{name: "cut", limit: 5, bytes: 1 << 20, push: 20, cut: 17, oldest: 16},
		{name: "cut and on", limit: 4, bytes: 1 << 20, push: 20, cut: 18, more: 1, oldest: 17},
		{name: "moved many times", limit: 2, bytes: 1 << 20, push: 1000, cut: 1000, oldest: 999},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := logroom.NewRing(tt.limit, tt.bytes)
			top := uint64(0)
			push := func() {
				top++
				r.Push(logroom.Entry{At: logroom.Position{Epoch: "e", Offset: top}, Message: message("B/1")})
			}
			for range tt.push {
				push()
			}
			r.Cut(tt.cut)
			top = min(top, tt.cut)
			for range tt.more {
				push()
			}
			for offset := range top + 3 {
				got, ok := r.After(offset)
				if want := offset+1 >= tt.oldest && offset <= top; ok != want {
					t.Fatalf("reaches back to %d: %v, want %v", offset, ok, want)
				}
				if ok && uint64(len(got)) != top-offset {
					t.Errorf("%d entries after %d, want %d", len(got), offset, top-offset)
				}
				for i, e := range got {
					if e.At.Offset != offset+1+uint64(i) {
						t.Errorf("after %d comes %v", offset, e.At)
					}
				}
			}
		})
	}
}
