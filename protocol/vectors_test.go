package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// The golden vectors in testdata say what is on the wire and what is to be made of it. The JavaScript client's tests
// read the same files, so what one side changes the other notices.

// vector is a frame as it comes, and what can be read in it.
type vector struct {
	Name  string          `json:"name"`
	Text  string          `json:"text"`
	Want  json.RawMessage `json:"want"`  // null: it is no frame
	Wrong bool            `json:"wrong"` // a member is of the wrong type, and as good as absent
}

func readVectors[T any](t *testing.T, name string) (vectors T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&vectors); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return vectors
}

// plainJSON returns what text holds, so that members can stand in any order.
func plainJSON(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

func TestFrameVectors(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range []string{"hub_frames.json", "client_frames.json"} {
		for _, v := range readVectors[[]vector](t, file) {
			t.Run(v.Name, func(t *testing.T) {
				f, err := DecodeFrame([]byte(v.Text))
				if string(v.Want) == "null" {
					if !errors.Is(err, ErrNotFrame) {
						t.Errorf("got %+v, %v, want no frame", f, err)
					}
					return
				}
				if f == nil || (err != nil) != v.Wrong {
					t.Fatalf("error %v, want one: %v", err, v.Wrong)
				}
				if got, want := plainJSON(t, f.Encode()), plainJSON(t, v.Want); !reflect.DeepEqual(got, want) {
					t.Errorf("got  %v\nwant %v", got, want)
				}
				seen[f.Type] = true
			})
		}
	}
	for name := range membersOf {
		if !seen[name] {
			t.Errorf("no vector has a frame of type %q: add one to testdata", name)
		}
	}
}

func TestPublishVectors(t *testing.T) {
	for _, v := range readVectors[[]struct {
		Name, Room, Key, Kind, Frame string
		Birth                        *string
		Data                         json.RawMessage
	}](t, "publish.json") {
		t.Run(v.Name, func(t *testing.T) {
			kind, err := ParseKind(v.Kind)
			if err != nil {
				t.Fatal(err)
			}
			var birth *Position
			if v.Birth != nil {
				at, _ := ParsePosition(*v.Birth) // zero where there was no cursor
				birth = &at
			}
			if got := string(AppendPublish(nil, v.Room, v.Key, birth, kind, bytesOf(t, kind, v.Data))); got != v.Frame {
				t.Errorf("got  %s\nwant %s", got, v.Frame)
			}
		})
	}
}

// bytesOf returns the bytes of a message that a vector has as a string, any JSON, or a list of numbers.
func bytesOf(t *testing.T, kind Kind, raw json.RawMessage) []byte {
	t.Helper()
	switch kind {
	case Text:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			t.Fatal(err)
		}
		return []byte(text)
	case Binary:
		var wide []int // a list of bytes would be base64
		if err := json.Unmarshal(raw, &wide); err != nil {
			t.Fatal(err)
		}
		var b []byte
		for _, n := range wide {
			b = append(b, byte(n))
		}
		return b
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPositionVectors(t *testing.T) {
	v := readVectors[struct {
		Valid     [][2]any
		Invalid   []string
		Ascending []string
	}](t, "positions.json")
	for _, pair := range v.Valid {
		p, err := ParsePosition(pair[0].(string))
		if err != nil || float64(p.Offset) != pair[1] {
			t.Errorf("%v: got %v, %v", pair, p, err)
		}
	}
	for _, text := range v.Invalid {
		if p, err := ParsePosition(text); err == nil {
			t.Errorf("%q is %v, and should be none", text, p)
		}
	}
	if !slices.IsSortedFunc(v.Ascending, func(a, b string) int {
		p, errA := ParsePosition(a)
		q, errB := ParsePosition(b)
		if errA != nil || errB != nil || p.Offset == q.Offset {
			t.Errorf("%q and %q: %v, %v", a, b, errA, errB)
		}
		if p.Offset < q.Offset {
			return -1
		}
		return 1
	}) {
		t.Errorf("not in order: %q", v.Ascending)
	}
}

func TestDataVectors(t *testing.T) {
	for _, v := range readVectors[[]struct {
		Name, Kind, Data string
		Bad              bool
		Want             struct {
			Text  *string
			JSON  json.RawMessage
			Bytes []int
		}
	}](t, "data.json") {
		t.Run(v.Name, func(t *testing.T) {
			kind, err := ParseKind(v.Kind)
			var data []byte
			if err == nil {
				data, err = DecodeData(kind, json.RawMessage(v.Data))
			}
			if (err != nil) != v.Bad {
				t.Fatalf("got %q, %v", data, err)
			}
			switch {
			case v.Bad:
			case v.Want.Text != nil:
				if string(data) != *v.Want.Text {
					t.Errorf("got %q, want %q", data, *v.Want.Text)
				}
			case kind == JSON:
				if !reflect.DeepEqual(plainJSON(t, data), plainJSON(t, v.Want.JSON)) {
					t.Errorf("got %s, want %s", data, v.Want.JSON)
				}
			default:
				if !slices.EqualFunc(data, v.Want.Bytes, func(b byte, n int) bool { return int(b) == n }) {
					t.Errorf("got %v, want %v", data, v.Want.Bytes)
				}
			}
		})
	}
}

func TestIDVectors(t *testing.T) {
	for _, v := range readVectors[[]struct{ Sender, Key, ID string }](t, "ids.json") {
		if got := KeyOf(v.ID, v.Sender); got != v.Key {
			t.Errorf("the key of %q by %q is %q, want %q", v.ID, v.Sender, got, v.Key)
		}
		if id := MessageID(v.Sender, v.Key); v.Key != "" && id != v.ID {
			t.Errorf("the id of %q by %q is %q, want %q", v.Key, v.Sender, id, v.ID)
		}
	}
}
