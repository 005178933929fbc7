package logroom

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// MaxForks is how many epochs a fork list names. Whoever adds one more drops the oldest.
const MaxForks = 32

// Position names an entry of a room's log.
type Position = protocol.Position

// Fork is where an epoch begins.
type Fork struct {
	Epoch string
	Start uint64 // offset of its first entry, at least 1
}

// Forks says where each epoch of a log begins, oldest first. It is immutable, and shared.
type Forks []Fork

// ParseForks reads e1:start1,e2:start2,… as brokers keep it.
func ParseForks(s string) (Forks, error) {
	var f Forks
	for item := range strings.SplitSeq(s, ",") {
		epoch, digits, _ := strings.Cut(item, ":")
		start, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || !protocol.IsEpoch(epoch) || start == 0 {
			return nil, fmt.Errorf("parse fork list: %q is not an epoch and its start", item)
		}
		if n := len(f); n > 0 && f[n-1].Start > start {
			return nil, fmt.Errorf("parse fork list: %q begins before the epoch that it follows", item)
		}
		if f.find(epoch) >= 0 {
			return nil, fmt.Errorf("parse fork list: %q is there twice", epoch)
		}
		if f = append(f, Fork{Epoch: epoch, Start: start}); len(f) > MaxForks {
			return nil, errors.New("parse fork list: it is too long")
		}
	}
	return f, nil
}

// String returns the list as ParseForks reads it.
func (f Forks) String() string {
	var b strings.Builder
	for i, fork := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(fork.Epoch)
		b.WriteByte(':')
		b.WriteString(strconv.FormatUint(fork.Start, 10))
	}
	return b.String()
}

// find returns the index of epoch, or −1.
func (f Forks) find(epoch string) int {
	for i := len(f) - 1; i >= 0; i-- { // the newest are asked for most
		if f[i].Epoch == epoch {
			return i
		}
	}
	return -1
}

// At returns the position at offset under the name that lasts longest. That is the epoch whose entry stands there: it
// survives a loss of all that came after. But where it has come to the older half of the list, and nothing was stored
// since, the position goes by a younger epoch that begins right behind it, or a list pruned by reads alone would lose
// it.
func (f Forks) At(offset uint64) Position {
	if len(f) == 0 {
		return Position{}
	}
	i := len(f) - 1
	for i > 0 && f[i].Start > offset {
		i--
	}
	for i < len(f)-MaxForks/2 && f[i+1].Start <= offset+1 {
		i++
	}
	return Position{Epoch: f[i].Epoch, Offset: offset}
}
