package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/queue"
)

// The scripts; each says what it is given and answers. docs/adr/0013-presence.md has the reasons.
var (
	//go:embed lua/presence_beat.lua
	beatText string
	//go:embed lua/presence_change.lua
	changeText string
	//go:embed lua/presence_load.lua
	loadText string
	//go:embed lua/presence_page.lua
	pageText string
	//go:embed lua/presence_reap.lua
	reapText string
)

const (
	presenceConnections = 2

	changesKept   = 1024        // entries of the stream, about
	changesAge    = time.Minute // after which they are trimmed
	changesMost   = 200         // people whose changes one call tells
	claimsAtOnce  = 200         // that one call tells
	loadsAtOnce   = 64          // rooms that one call reads
	entriesAtOnce = 100         // that one XREAD brings
	readBlock     = time.Second // longest that one XREAD waits
	reapAtOnce    = 100         // rooms that one call clears away
)

// presenceLink is one life of a presence's connections, as link is of a broker's.
type presenceLink struct {
	line

	// immutable
	presence *Presence
	in       *queue.Queue[any] // from the link's goroutines to the presence's: what Presence.take takes
	work     chan struct{}     // one slot: there may be something to send; sent by everybody, received by the writer; never closed

	// guarded by presence.mu
	loads []load    // rooms to read
	pages []page    // to read
	reap  []deadHub // to clear away

	// set by open, and then owned by the writer
	calls        rueidis.Client
	scripts      map[string]string // names at Redis, by text
	registration string
	state        string    // of the registration
	beaten       time.Time // when a beat last began
	clock        redisClock

	// set by open, and then owned by the reader
	reads  rueidis.Client
	newest string // where reading begins

	began beatReply // set by open: what was there then
}

// redisClock is the time by Redis's clock when this process's had at, or a little before.
type redisClock struct {
	now int64 // in ms
	at  time.Time
}

// errTooLate says that nothing was done, as that would have been too late.
var errTooLate = errors.New("it came to Redis too late")

// errForgotten says that Redis, or another hub, has forgotten this hub's registration.
var errForgotten = errors.New("the registration is gone")

func newPresenceLink(p *Presence) *presenceLink {
	return &presenceLink{
		line: newLine(&p.server, presenceConnections), presence: p, in: queue.New[any](0), work: make(chan struct{}, 1),
	}
}

// nudge wakes the writer.
func (l *presenceLink) nudge() {
	select {
	case l.work <- struct{}{}:
	default:
	}
}

// tell hands something to the presence's goroutine.
func (l *presenceLink) tell(what any) { l.in.Force(what, 0) }

// open dials, shakes hands, asks for the rights, loads the scripts, and registers. Where it fails, the link is to be
// closed all the same. It ends early where the link fails.
func (l *presenceLink) open() error {
	err := l.handshake()
	if _, answered := errors.AsType[*rueidis.RedisError](err); err != nil && !answered && l.ctx.Err() != nil {
		return context.Cause(l.ctx) // came first: the rest follows from it
	}
	return err
}

func (l *presenceLink) handshake() (err error) {
	for _, client := range []*rueidis.Client{&l.calls, &l.reads} {
		if *client, err = rueidis.NewClient(l.options()); err != nil {
			return err
		}
	}
	if err := l.checkRights(); err != nil {
		return err
	}
	if err := l.loadScripts(l.ctx); err != nil {
		return err
	}
	l.registration = newNonce()
	l.state = stateComing
	l.began, err = l.beat(true)
	l.newest = l.began.newest
	return err
}

// checkRights asks for each command of the scripts whether it would be allowed, and runs none.
func (l *presenceLink) checkRights() error {
	c := l.calls
	commands := []rueidis.Completed{c.B().Ping().Build(), c.B().Multi().Build()}
	for _, words := range [][]string{
		{"HSET", hubsKey, "f", ""}, {"HGET", hubsKey, "f"}, {"HDEL", hubsKey, "f"}, {"HGETALL", hubsKey},
		{"XADD", changesKey, "*", "f", ""}, {"XTRIM", changesKey, "MAXLEN", "1"}, {"XREAD", "STREAMS", changesKey, "0"},
		{"XREVRANGE", changesKey, "+", "-"}, {"INCR", serialKey}, {"GET", serialKey},
		{"ZADD", hubsKey, "0", ""}, {"ZREM", hubsKey, ""}, {"ZREMRANGEBYLEX", hubsKey, "-", "+"}, {"ZCARD", hubsKey},
		{"ZRANGE", hubsKey, "0", "-1"}, {"UNLINK", hubsKey}, {"TIME"},
	} {
		commands = append(commands, c.B().Arbitrary(words...).Build())
	}
	commands = append(commands, c.B().Discard().Build())
	for _, reply := range c.DoMulti(l.ctx, commands...) {
		if err := reply.Error(); err != nil && !outOfMemory(err) { // a full server may be read
			return err
		}
	}
	return nil
}

func (l *presenceLink) loadScripts(ctx context.Context) error {
	texts := []string{beatText, changeText, loadText, pageText, reapText}
	commands := make([]rueidis.Completed, len(texts))
	for i, text := range texts {
		commands[i] = l.calls.B().ScriptLoad().Script(text).Build()
	}
	l.scripts = make(map[string]string, len(texts))
	for i, reply := range l.calls.DoMulti(ctx, commands...) {
		name, err := reply.ToString()
		if err != nil {
			return fmt.Errorf("load a script: %w", err)
		}
		l.scripts[texts[i]] = name
	}
	return nil
}

// call runs a script. Where Redis has forgotten it, it is loaded once more.
func (l *presenceLink) call(script string, keys, args []string) rueidis.RedisResult {
	ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
	defer cancel()
	run := func() rueidis.RedisResult {
		return l.calls.Do(ctx, l.calls.B().Evalsha().Sha1(l.scripts[script]).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
	}
	result := run()
	if isNoScript(result.Error()) {
		if err := l.loadScripts(ctx); err == nil {
			return run()
		}
	}
	return result
}

// beat says that the registration is alive, and in which state.
func (l *presenceLink) beat(register bool) (beatReply, error) {
	l.beaten = time.Now()
	mode := ""
	if register {
		mode = "new"
	}
	r, err := parseBeat(l.call(beatText, []string{hubsKey, changesKey, serialKey}, []string{
		l.registration, stateOf(l.state, l.presence.own), strconv.FormatInt(changesAge.Milliseconds(), 10), mode,
	}))
	if err == nil {
		l.clock = redisClock{r.now, r.at}
	}
	return r, err
}

// start begins to work. The goroutines end when the link is over; close waits for them.
func (l *presenceLink) start() {
	l.loops.Go(func() { l.end(l.write()) })
	l.loops.Go(func() { l.end(l.read()) })
	l.loops.Go(func() { l.probe(l.calls, func(time.Duration) {}) })
}

// end ends the link for a reason; nil is none.
func (l *presenceLink) end(err error) {
	if err != nil && l.ctx.Err() == nil {
		l.fail(err)
	}
}

// read hands over what the hubs say.
func (l *presenceLink) read() error {
	from := l.newest
	for l.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(l.ctx, readBlock+l.server.timeout)
		// Not built as a command that blocks: the library would want one more connection for it.
		result := l.reads.Do(ctx, l.reads.B().Arbitrary("XREAD", "COUNT", strconv.Itoa(entriesAtOnce), "BLOCK",
			strconv.FormatInt(readBlock.Milliseconds(), 10), "STREAMS").Keys(changesKey).Args(from).Build())
		cancel()
		streams, err := result.AsXRead()
		if rueidis.IsRedisNil(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read what hubs say of people: %w", err)
		}
		entries, err := parseSaid(streams[changesKey])
		if err != nil {
			return err
		}
		for _, e := range entries {
			l.tell(e)
			from = e.text
		}
	}
	return nil
}

// write runs what is asked for, and says in time that this hub is alive.
func (l *presenceLink) write() error {
	if err := l.register(); err != nil {
		return err
	}
	beat := time.NewTicker(l.presence.beat())
	defer beat.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return nil
		case <-beat.C:
			if err := l.sayAlive(); err != nil {
				return err
			}
		case <-l.work:
			if err := l.round(); err != nil {
				return err
			}
		}
	}
}

// round does all that is asked for.
func (l *presenceLink) round() error {
	for l.ctx.Err() == nil {
		if err := l.keepAlive(); err != nil {
			return err
		}
		changed, err := l.sendChanges()
		if err != nil {
			return err
		}
		claimed, err := l.sendClaims()
		if err != nil {
			return err
		}
		read, err := l.readRooms()
		if err != nil {
			return err
		}
		if err := l.readPages(); err != nil {
			return err
		}
		if err := l.clearAway(); err != nil {
			return err
		}
		if !changed && !claimed && !read {
			return nil
		}
	}
	return nil
}

// close ends the link and waits for all of its goroutines: nothing comes in or goes out after it. It is called once, by
// the goroutine that opened the link or was given it.
func (l *presenceLink) close() {
	l.fail(errClosed)
	l.loops.Wait()
	// The connections are closed, so neither waits for Redis.
	for _, client := range []rueidis.Client{l.calls, l.reads} {
		if client != nil {
			client.Close()
		}
	}
}
