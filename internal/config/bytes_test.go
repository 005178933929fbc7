package config

import "testing"

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "1": 1, "12B": 12, "1kB": 1000, "1KiB": 1024, "64KiB": 65536, "2MB": 2e6, "1MiB": 1 << 20, "3GB": 3e9,
		"1GiB": 1 << 30, "9223372036854775807": 1<<63 - 1, "007": 7,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "KiB", "-1", "+1", "1.5KiB", "1 KiB", "1kb", "1K", "1KiBB", "1BB", "0x10", "9223372036854775808",
		"9007199254740992KiB", "1_000", "١", "1\n",
	} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", text, got)
		}
	}
	for b, want := range map[Bytes]string{
		0: "0B", 1: "1B", 1000: "1kB", 1024: "1KiB", 65537: "65537B", 1 << 30: "1GiB", -1: "-1B",
	} {
		if got := b.String(); got != want {
			t.Errorf("%d is written %q, want %q", int64(b), got, want)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, text := range []string{"", "0", "64KiB", "1MB", "9223372036854775807B", "8388608TiB", "-1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBytes(text)
		if err != nil {
			return
		}
		if b < 0 {
			t.Errorf("ParseBytes(%q) = %d, less than 0", text, b)
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Errorf("%q is %d, which is written %q, which is %d, %v", text, b, b, again, err)
		}
	})
}
