package logroom_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// FuzzStep gives a room events that need not make sense, as a broker or a client that is broken would, and looks for
// panics, for what goes to sessions that are not there, and for memory without bounds.
func FuzzStep(f *testing.F) {
	f.Add([]byte("C\x00J\x01S\x01R\x01P\x12A\x22"))
	f.Add([]byte("C\x00J\x01J\x12S\x01R\x91O\x33I\x00O\x44C\x00S\x01R\xa2T\x00L\x01L\x02"))
	f.Add([]byte("CCJJSSRRrrPPppOOooAAaaFFffUUIITTLLYYHHVV"))
	f.Fuzz(func(t *testing.T, program []byte) {
		program = program[:min(len(program), 200)] // long ones show nothing that short ones do not
		limits := logroom.Options{Ring: 3, Buffer: 2, Page: 2, Marks: 2}
		budget := logroom.NewBudget(5 * logroom.Size(message("A/1")))
		room := logroom.New(limits, budget)
		joined := map[logroom.Session]bool{}
		requests := uint64(0)
		for i := 0; i+1 < len(program); i += 2 {
			e := eventOf(program[i], program[i+1], requests)
			switch e := e.(type) {
			case logroom.Join:
				joined[e.Session] = true
			case logroom.Leave:
				delete(joined, e.Session)
			}
			for _, effect := range room.Step(0, e, nil) {
				switch effect := effect.(type) {
				case logroom.ReadPage:
					requests = effect.Request
				case logroom.Append:
					requests = effect.Request
				case logroom.Detach:
					if !slices.Contains([]logroom.Session{"A", "B", "C", "D"}, effect.Session) {
						t.Fatalf("%v is detached", effect.Session)
					}
				}
				if to := addressee(effect); to != nil && !joined[to] {
					t.Fatalf("%s: nobody is %v", describe(effect), to)
				}
			}
			if s := room.Sizes(); s.Ring > limits.Ring || s.Buffer > limits.Buffer || s.Marks > limits.Marks {
				t.Fatalf("the room holds %+v", s)
			}
			if n := budget.Used(); n < 0 || n > 5*logroom.Size(message("A/1")) {
				t.Fatalf("%d bytes are taken", n)
			}
		}
	})
}

// addressee returns the one session that an effect is for.
func addressee(effect logroom.Effect) logroom.Session {
	switch e := effect.(type) {
	case logroom.Attach:
		return e.Session
	case logroom.Replay:
		return e.Session
	case logroom.History:
		return e.Session
	case logroom.Orphans:
		return e.Session
	case logroom.Reset:
		return e.Session
	case logroom.Settle:
		return e.Session
	}
	return nil
}

// eventOf makes an event of two bytes; request is the last number that the room gave.
func eventOf(kind, x byte, request uint64) logroom.Event {
	session, small := logroom.Session(string('A'+rune(x%4))), uint64(x>>4)
	at := logroom.Position{Epoch: fmt.Sprint("e", x%3), Offset: small}
	entry := logroom.Entry{At: at, Message: message(fmt.Sprintf("%v/%d", session, small))}
	list := logroom.Forks{{Epoch: "e0", Start: 1}, {Epoch: "e1", Start: 1 + small/2}, {Epoch: "e2", Start: 1 + small}}
	p := logroom.Page{Epoch: at.Epoch, Top: small + uint64(x%2), Forks: list[:1+x%3], Entries: []logroom.Entry{entry}}
	switch kind {
	case 'J':
		return logroom.Join{Session: session, Publisher: session.(string), Provisional: x&8 > 0, History: int(x & 3)}
	case 'j':
		return logroom.Join{Session: session, Publisher: session.(string), Cursor: at}
	case 'L':
		return logroom.Leave{Session: session}
	case 'Y':
		return logroom.Ready{Session: session}
	case 'O':
		return logroom.Publish{Message: entry.Message, Birth: at, Own: x&8 > 0, Reply: 1}
	case 'S':
		return logroom.Subscribed{Number: uint64(x)}
	case 'U':
		return logroom.Unsubscribed{}
	case 'P':
		return logroom.Published{Entries: []logroom.Entry{entry}}
	case 'R':
		return logroom.Read{Request: request - uint64(x&1), Page: p}
	case 'r':
		p.Reset, p.Before, p.Entries = true, uint64(x&3), nil
		return logroom.Read{Request: request, Page: p}
	case 'o':
		p.Orphans = small + 1
		return logroom.Read{Request: request, Page: p}
	case 'F':
		return logroom.ReadFailed{Request: request}
	case 'A':
		return logroom.Appended{Request: request, Epoch: at.Epoch, At: at, Duplicate: x&8 > 0}
	case 'f':
		return logroom.AppendFailed{Request: request, Refused: x&8 > 0}
	case 'I':
		return logroom.Isolated{}
	case 'C':
		return logroom.Connected{}
	case 'V':
		return logroom.Top{Epoch: at.Epoch, Offset: small}
	}
	return logroom.Tick{}
}
