package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size: digits, then B, KiB, MiB, GiB, kB, MB or GB; without a unit bytes.
type Bytes int64

// units are the units of a size, the largest first, as String takes the first that goes into the size evenly.
var units = []struct {
	name string
	size int64
}{
	{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// bytesRule says in words what [ParseBytes] reads.
const bytesRule = "a size is digits, then B, KiB, MiB, GiB, kB, MB or GB, for instance 64KiB"

// ParseBytes reads a size.
func ParseBytes(text string) (Bytes, error) {
	digits := strings.TrimRight(text, "BGKMik")
	unit := int64(1)
	if name := text[len(digits):]; name != "" {
		unit = unitSize(name)
		if unit == 0 {
			return 0, fmt.Errorf("there is no unit %q", name)
		}
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("not a size")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("too large")
	}
	return Bytes(n * unit), nil
}

// unitSize returns how many bytes the unit called name has, or 0 where there is none.
func unitSize(name string) int64 {
	for _, u := range units {
		if u.name == name {
			return u.size
		}
	}
	return 0
}

// String returns the size with the largest unit that goes into it evenly, which [ParseBytes] reads back.
func (b Bytes) String() string {
	for _, u := range units {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return "0B"
}
