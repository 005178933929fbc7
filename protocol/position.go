package protocol

import (
	"errors"
	"strconv"
	"strings"
)

// Position names an entry of a room's log, or the place before the first one, at offset 0. The zero Position is none.
//
// As text it is EPOCH:OFFSET. Clients keep it and give it back; the one thing that they may read in it is the offset,
// which counts up along a room and tells which of two messages is the later one.
type Position struct {
	Epoch  string // one unbroken stretch of log: letters and digits
	Offset uint64 // in the log: counts on over epochs
}

// maxEpoch is the most bytes that an epoch has. Those that hubs make have 16.
const maxEpoch = 64

// PositionRule says in words what [ParsePosition] takes: the fix that an error names.
const PositionRule = "give a position back as a hub gave it"

var errPosition = errors.New("it is not a position")

// ParsePosition reads what String returns of a position that is one.
func ParsePosition(text string) (Position, error) {
	epoch, digits, _ := strings.Cut(text, ":")
	offset, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(epoch) > maxEpoch || !IsEpoch(epoch) || digits[0] == '+' {
		return Position{}, errPosition
	}
	return Position{Epoch: epoch, Offset: offset}, nil
}

// IsZero reports whether p is no position.
func (p Position) IsZero() bool { return p.Epoch == "" }

// String returns EPOCH:OFFSET, or "none".
func (p Position) String() string {
	if p.IsZero() {
		return "none"
	}
	return p.Epoch + ":" + strconv.FormatUint(p.Offset, 10)
}

// appendText appends what String returns of a position that is one.
func (p Position) appendText(dst []byte) []byte {
	dst = append(dst, p.Epoch...)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, p.Offset, 10)
}

// IsEpoch reports whether s may be called an epoch: letters and digits, which stand in JSON as they are.
func IsEpoch(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}
