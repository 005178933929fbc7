package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const (
	// maxCall and maxCallBytes are what one call of the script carries: enough that the call itself costs little, and few
	// enough not to keep Redis from its other clients for more than a millisecond or two.
	maxCall      = 128
	maxCallBytes = 256 << 10

	// maxTries is how often a call is made that Redis refuses because it does not know the script.
	maxTries = 10
)

// appendRequest is a message on its way to its log.
type appendRequest struct {
	room   string
	key    string // of Redis
	record []byte // the message, encoded; the library reads it without copying
	size   int64
	log    *Log // whose waiting counts it
	then   func(hub.Appended, error)
}

// done answers the request.
func (r *appendRequest) done(a hub.Appended, err error) {
	r.log.waiting.Add(-r.size)
	r.then(a, err)
}

// giveUp answers a request that was not sent.
func (r *appendRequest) giveUp() { r.done(hub.Appended{}, hub.ErrAway) }

// logCall is what goes to one room in one call.
type logCall struct {
	room     string
	size     int
	requests []*appendRequest
}

// appender is the worker that stores messages. Of each room one call is on its way: all of a room waits in one line, and a
// round for its answers.
type appender struct {
	link  *logLink
	rooms map[string][]*appendRequest // what waits of each room, in order; none is empty
	turns []string                    // the same rooms: who is next
}

func (w *appender) add(requests []*appendRequest) {
	if w.rooms == nil {
		w.rooms = map[string][]*appendRequest{}
	}
	for _, r := range requests {
		line, waits := w.rooms[r.room]
		if !waits {
			w.turns = append(w.turns, r.room)
		}
		w.rooms[r.room] = append(line, r)
	}
}

func (w *appender) waits() bool { return len(w.turns) > 0 }

func (w *appender) giveUp() {
	for _, line := range w.rooms {
		for _, r := range line {
			r.giveUp()
		}
	}
}

// plan takes what is to be sent next: a call for each room in its turn, as far as they fit into one round. A room of
// which something is left gets the last turn.
func (w *appender) plan() (calls []*logCall) {
	size, n := 0, 0
	var again []string
	for ; n < len(w.turns) && size < maxRound; n++ {
		room := w.turns[n]
		c, rest := cutCall(room, w.rooms[room])
		calls = append(calls, c)
		size += c.size
		if len(rest) == 0 {
			delete(w.rooms, room)
			continue
		}
		w.rooms[room] = rest
		again = append(again, room)
	}
	w.turns = append(w.turns[n:], again...)
	return calls
}

// cutCall takes what one call carries from the front of a room's line, at least one message.
func cutCall(room string, line []*appendRequest) (c *logCall, rest []*appendRequest) {
	c = &logCall{room: room}
	n := 0
	for n < len(line) && n < maxCall && (n == 0 || c.size+len(line[n].record) <= maxCallBytes) {
		c.size += len(line[n].record)
		n++
	}
	c.requests = line[:n:n]
	return c, line[n:]
}

func (w *appender) round() {
	l := w.link
	calls := w.plan()
	for try := 1; ; try++ {
		if calls = l.send(calls, try == maxTries); len(calls) == 0 {
			return
		}
		if err := l.reload(l.appends); err != nil {
			l.fail(err)
			for _, c := range calls {
				c.fail(hub.ErrAway)
			}
			return
		}
	}
}

// reload loads the scripts again, as Redis does not have them any more.
func (l *logLink) reload(w *wire) error {
	ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
	defer cancel()
	return w.load(ctx)
}

// send makes the calls in one pipeline and answers them, but those that Redis refused as it does not know the script:
// these it returns, unless it is the last try.
func (l *logLink) send(calls []*logCall, last bool) (unknown []*logCall) {
	ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
	defer cancel()
	commands := make([]rueidis.Completed, 0, len(calls)+1)
	for _, c := range calls {
		commands = append(commands, l.publishCommand(c))
	}
	replicated := l.log.opts.Durability == Replicated
	if replicated {
		wait := l.server.timeout / 2 // an answer that comes as late as the time-out would end the link
		// Arbitrary, as the library takes what it knows to block to a connection of its own, which has nothing to wait for.
		commands = append(commands, l.appends.client.B().Arbitrary("WAIT", "1", milliseconds(wait)).Build())
	}
	replies := l.appends.client.DoMulti(ctx, commands...)
	lacking := error(nil) // why what was stored is not as durable as it is to be
	if replicated {
		n, err := replies[len(calls)].AsInt64()
		if err != nil || n < 1 {
			lacking = fmt.Errorf("%w: no replica confirmed it", hub.ErrUnknown)
		}
	}
	for i, c := range calls {
		err := c.answer(replies[i], lacking)
		if isNoScript(err) && !last {
			unknown = append(unknown, c)
			continue
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("append in room %q: %w", c.room, err)
		c.fail(outcomeOf(err))
		if ofOneRoom(err) {
			l.log.log.Warn("a message was not stored", "why", err)
		} else {
			l.fail(err)
		}
	}
	return unknown
}

// outcomeOf says what err means for the messages of a call.
func outcomeOf(err error) error {
	answer, answered := errors.AsType[*rueidis.RedisError](err)
	switch {
	case outOfMemory(err):
		return fmt.Errorf("%w: %w", hub.ErrNoMemory, err)
	case answered && refusedUndone(answer.Error()):
		return fmt.Errorf("%w: %w", hub.ErrAway, err)
	}
	return fmt.Errorf("%w: %w", hub.ErrUnknown, err) // it may have failed in the middle, or been cut off behind it
}

// publishCommand returns the call of the script; see lua/publish.lua for the arguments.
func (l *logLink) publishCommand(c *logCall) rueidis.Completed {
	g := l.log
	r := g.retention(c.room)
	keys := make([]string, 0, 2+len(c.requests))
	keys = append(keys, streamKey(c.room), metaKey(c.room))
	args := make([]string, 0, 6+len(c.requests))
	args = append(args, strconv.Itoa(r.History), milliseconds(r.TTL), milliseconds(g.metaTTL(r)),
		milliseconds(g.opts.KeyTTL), newNonce(), channelOf(c.room))
	for _, r := range c.requests {
		keys = append(keys, r.key)
		args = append(args, rueidis.BinaryString(r.record))
	}
	return l.appends.client.B().Evalsha().Sha1(l.appends.loaded.Load().publish).Numkeys(int64(len(keys))).
		Key(keys...).Arg(args...).Build()
}

// fail answers each message of the call with err.
func (c *logCall) fail(err error) {
	for _, r := range c.requests {
		r.done(hub.Appended{}, err)
	}
}

// errReply says that Redis answered a call in a way that no script of ours does.
var errReply = errors.New("an answer that is not understood")

// answer tells each message where it is stored, or lacking. It tells nothing where it returns an error: that there is
// no such answer.
func (c *logCall) answer(reply rueidis.RedisResult, lacking error) error {
	answers, err := c.parse(reply)
	if err != nil {
		return err
	}
	for i, r := range c.requests {
		if lacking != nil {
			answers[i] = hub.Appended{}
		}
		r.done(answers[i], lacking)
	}
	return nil
}

// parse reads the answer of the script.
func (c *logCall) parse(reply rueidis.RedisResult) ([]hub.Appended, error) {
	values, err := reply.ToArray()
	if err != nil {
		return nil, err
	}
	if len(values) != 1+len(c.requests) {
		return nil, fmt.Errorf("%w: %d values", errReply, len(values))
	}
	epoch, err := values[0].ToString()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReply, err)
	}
	answers := make([]hub.Appended, len(c.requests))
	for i, v := range values[1:] {
		a := hub.Appended{Epoch: epoch}
		if v.IsInt64() {
			n, _ := v.ToInt64()
			a.At = hub.Position{Epoch: epoch, Offset: uint64(n)}
		} else {
			text, err := v.ToString()
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errReply, err)
			}
			if a.At, err = parsePosition(text); err != nil {
				return nil, err
			}
			a.Duplicate = true
		}
		answers[i] = a
	}
	return answers, nil
}

// parsePosition reads epoch:offset.
func parsePosition(text string) (hub.Position, error) {
	epoch, digits, _ := strings.Cut(text, ":")
	offset, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || !isName(epoch) {
		return hub.Position{}, fmt.Errorf("%w: %q is no position", errReply, text)
	}
	return hub.Position{Epoch: epoch, Offset: offset}, nil
}
