package main

import (
	"fmt"
	"io"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/bench"
)

// progress shows how far a test is: on a terminal in one line that is written again and again, elsewhere in a line every
// few seconds. It belongs to one goroutine.
type progress struct {
	to       io.Writer
	terminal bool
	last     time.Time
	phase    string
	open     bool // a line is not ended yet

	// for the rates
	published, deliveries uint64
	at                    time.Time
}

// progressEvery is how often a line is written where there is no terminal.
const progressEvery = 5 * time.Second

func newProgress(to io.Writer) *progress {
	now := time.Now()
	return &progress{to: to, terminal: isTerminal(to), last: now, at: now}
}

// progress shows how far the test is.
func (s *progress) progress(p bench.Progress) {
	now := time.Now()
	if !s.terminal && now.Sub(s.last) < progressEvery && p.Phase == s.phase {
		return
	}
	text := p.Phase
	if p.Phase == "connecting" {
		text += fmt.Sprintf(" %d of %d", p.Connected, p.Conns)
	} else {
		text += fmt.Sprintf(" %v", p.Elapsed.Round(100*time.Millisecond))
		if p.Of > 0 {
			text += fmt.Sprintf(" of %v", p.Of)
		}
		if seconds := now.Sub(s.at).Seconds(); p.Published > 0 && seconds > 0 {
			text += fmt.Sprintf(" · %.0f messages/s · %.0f deliveries/s",
				float64(p.Published-s.published)/seconds, float64(p.Deliveries-s.deliveries)/seconds)
		}
	}
	s.last, s.phase, s.at, s.published, s.deliveries = now, p.Phase, now, p.Published, p.Deliveries
	if !s.terminal {
		fmt.Fprintln(s.to, text)
		return
	}
	fmt.Fprintf(s.to, "\r%s\x1b[K", text) // to the beginning of the line; and clear what the last one left
	s.open = true
}

// end clears the line.
func (s *progress) end() {
	if s.open {
		fmt.Fprint(s.to, "\r\x1b[K")
	}
}
