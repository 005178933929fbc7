package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
)

// logLink is one life of a log's connections, as link is of a broker's.
type logLink struct {
	line

	// immutable
	log    *Log
	writes *queue.Queue[*appendRequest] // from Append to the appender; bounded by Log.waiting
	reads  *queue.Queue[*readRequest]   // from Read to the pager; bounded by Log.reading
	in     *queue.Queue[logEvent]       // from the library's reading goroutine, and Subscribe, to the log's
	drain  chan struct{}                // closed by the log's goroutine at Close; received by appender and pager

	// One for each channel that Redis confirms: from the library's reading goroutine to whoever sent the command, open or
	// the subscriber. Holds what one command brings, so that reading goes on; never closed.
	changed chan struct{}

	busy  atomic.Int32  // of appender and pager, those that are not drained
	heard atomic.Int64  // nanoseconds of the clock when the subscribed connection brought something last
	echo  chan struct{} // one slot: the probe came back; from the library's reading goroutine to tryOut; never closed

	// set by open
	appends *wire
	pages   *wire
	rooms   rueidis.DedicatedClient
	quiet   <-chan error // closed by the library once it calls its hooks no more
}

// logEvent is what the receiver is told of a room: entries, or that it missed some, or else that it is subscribed.
type logEvent struct {
	room    string
	entries []hub.Entry
	missed  bool
	number  uint64
}

// tell tells it.
func (e logEvent) tell(r hub.LogReceiver) {
	switch {
	case e.entries != nil:
		r.Published(e.room, e.entries)
	case e.missed:
		r.Missed(e.room)
	default:
		r.Subscribed(e.room, e.number)
	}
}

// logConnections is how many a link of a log has.
const logConnections = 3

// errDeadEnd says that the subscribed connection brings nothing.
var errDeadEnd = errors.New("what is published does not come back")

func newLogLink(g *Log) *logLink {
	return &logLink{
		line:    newLine(&g.server, logConnections),
		log:     g,
		writes:  queue.New[*appendRequest](0),
		reads:   queue.New[*readRequest](0),
		in:      queue.New[logEvent](g.opts.QueueBytes),
		drain:   make(chan struct{}),
		changed: make(chan struct{}, maxChannels),
		echo:    make(chan struct{}, 1),
	}
}

// open dials, shakes hands, asks for the rights, loads the scripts, and subscribes. Where it fails, the link is to be
// closed all the same. It ends early where the link fails.
func (l *logLink) open() error {
	err := l.handshake()
	if _, answered := errors.AsType[*rueidis.RedisError](err); err != nil && !answered && l.ctx.Err() != nil {
		return context.Cause(l.ctx) // came first: the rest follows from it
	}
	return err
}

func (l *logLink) handshake() error {
	for _, w := range []**wire{&l.appends, &l.pages} {
		client, err := rueidis.NewClient(l.options())
		if err != nil {
			return err
		}
		*w = &wire{client: client}
		if err := (*w).load(l.ctx); err != nil {
			return err
		}
	}
	if err := l.checkRights(); err != nil {
		return err
	}
	if err := l.checkDurability(); err != nil {
		return err
	}
	if err := l.shareSecret(); err != nil {
		return err
	}
	l.rooms, _ = l.appends.client.Dedicate()
	l.quiet = l.rooms.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: l.onMessage, OnSubscription: l.onSubscription})
	return l.change([]string{l.log.probe}, true)
}

// checkRights asks for each command of the scripts whether it would be allowed, and runs none.
func (l *logLink) checkRights() error {
	c := l.appends.client
	room := l.log.probe // no room has this name
	stream, meta := streamKey(room), metaKey(room)
	key := idempotencyKey(room, "", "")
	replies := c.DoMulti(l.ctx,
		c.B().Ping().Build(),
		c.B().Multi().Build(),
		c.B().Hmget().Key(meta).Field("e").Build(),
		c.B().Hset().Key(meta).FieldValue().FieldValue("e", "").Build(),
		c.B().Del().Key(stream).Build(),
		c.B().Get().Key(secretKey).Build(),
		c.B().Mget().Key(key).Build(),
		c.B().Set().Key(key).Value("").Build(),
		c.B().Xadd().Key(stream).Id("*").FieldValue().FieldValue("e", "").Build(),
		c.B().Xtrim().Key(stream).Maxlen().Threshold("1").Build(),
		c.B().Xrange().Key(stream).Start("-").End("+").Build(),
		c.B().Pttl().Key(stream).Build(),
		c.B().Pexpire().Key(meta).Milliseconds(1).Build(),
		c.B().Publish().Channel(channelOf(room)).Message("").Build(),
		c.B().Evalsha().Sha1(l.appends.loaded.Load().read).Numkeys(1).Key(stream).Build(),
		c.B().Discard().Build(),
	)
	for _, reply := range replies {
		if err := reply.Error(); err != nil && !outOfMemory(err) { // a full server may be read
			return err
		}
	}
	return nil
}

// secretKey is where hubs keep what they share to sign with.
const secretKey = "rh:secret"

// shareSecret finds out what the hubs share. Where Redis has nothing, as on the first day or after a loss, it puts there
// what this hub knows from before, or something new; of several hubs that do so at once one is first.
func (l *logLink) shareSecret() error {
	c := l.appends.client
	proposed := []byte(rand.Text())
	if known := l.log.secret.Load(); known != nil {
		proposed = *known
	}
	replies := c.DoMulti(l.ctx,
		c.B().Set().Key(secretKey).Value(rueidis.BinaryString(proposed)).Nx().Build(),
		c.B().Get().Key(secretKey).Build(),
	)
	if err := replies[0].Error(); err != nil && !rueidis.IsRedisNil(err) && !outOfMemory(err) {
		return fmt.Errorf("share a secret: %w", err)
	}
	switch secret, err := replies[1].AsBytes(); {
	case rueidis.IsRedisNil(err): // it is full, and there is none: this hub goes on with its own
	case err != nil:
		return fmt.Errorf("read what hubs share: %w", err)
	case len(secret) > 0:
		l.log.secret.Store(&secret)
	}
	return nil
}

// checkDurability looks at whether Redis keeps what the durability promises.
func (l *logLink) checkDurability() error {
	if l.log.opts.Durability != Fsynced {
		return nil
	}
	c := l.appends.client
	found, err := c.Do(l.ctx, c.B().ConfigGet().Parameter("appendonly", "appendfsync").Build()).AsStrMap()
	if err != nil {
		return fmt.Errorf("ask how Redis writes to its disk: %w", err)
	}
	var missing []string
	for _, want := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}} {
		if found[want[0]] != want[1] {
			missing = append(missing, want[0]+" "+want[1])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: with durability fsynced each message is on its disk before it is acknowledged → set %s in "+
			"redis.conf, or choose durability memory or replicated", hub.ErrNotDurable, strings.Join(missing, " and "))
	}
	return nil
}

// start begins to work. The goroutines end when the link is over; close waits for them.
func (l *logLink) start() {
	l.heard.Store(time.Now().UnixNano())
	l.busy.Store(2)
	l.loops.Go(func() { work(l, l.writes, &appender{link: l}) })
	l.loops.Go(func() { work(l, l.reads, &pager{link: l}) })
	l.loops.Go(l.subscribe)
	l.loops.Go(l.tryOut)
	l.loops.Go(func() {
		l.probe(l.appends.client, func(rtt time.Duration) { l.log.counts.rtt.Store(int64(rtt)) })
	})
	l.loops.Go(func() { l.probe(l.pages.client, func(time.Duration) {}) })
	l.loops.Go(func() { l.probe(l.rooms, func(time.Duration) {}) })
}

// worker sends what is asked for, a round at a time. It belongs to the goroutine that works with it.
type worker[T any] interface {
	add(requests []T)
	waits() bool // whether something is left to send
	round()      // sends some of it, and answers that
	giveUp()     // answers the rest
}

// work has w send what comes through q: a round, then what came meanwhile, without a pause. It ends with the link; the
// last to end after drain was closed ends the link.
func work[T any](l *logLink, q *queue.Queue[T], w worker[T]) {
	defer w.giveUp()
	var taken []T
	for draining := false; l.ctx.Err() == nil; {
		if !w.waits() && !draining {
			select {
			case <-l.ctx.Done():
				return
			case <-q.Ready():
			case <-l.drain:
				draining = true // and nothing is put any more
			}
		}
		taken = q.Take(taken)
		w.add(taken)
		switch {
		case w.waits():
			w.round()
		case draining:
			if l.busy.Add(-1) == 0 {
				l.fail(errClosed)
			}
			return
		}
	}
}

// tryOut has the subscribed connection prove, when it was silent, that it brings what is published: it may look healthy
// and be attached to nothing. It ends with the link.
func (l *logLink) tryOut() {
	silence := l.log.opts.Silence
	timer := time.NewTimer(silence)
	defer timer.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-timer.C:
		}
		if left := silence - time.Since(time.Unix(0, l.heard.Load())); left > 0 {
			timer.Reset(left)
			continue
		}
		if err := l.echoed(); err != nil {
			l.fail(err)
			return
		}
		timer.Reset(silence)
	}
}

// echoed publishes to this log's own channel and waits for it to come back.
func (l *logLink) echoed() error {
	ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
	defer cancel()
	c := l.appends.client
	n := strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := c.Do(ctx, c.B().Publish().Channel(l.log.probe).Message(n).Build()).Error(); err != nil {
		return fmt.Errorf("publish a probe: %w", err)
	}
	select {
	case <-l.echo:
		return nil
	case <-ctx.Done():
		return errDeadEnd
	}
}

// close ends the link and waits for all of its goroutines: nothing comes in or goes out after it. It is called once, by
// the goroutine that opened the link or was given it.
func (l *logLink) close() {
	l.fail(errClosed)
	l.loops.Wait()
	if l.quiet != nil {
		for range l.quiet { // at most one error, which we know
		}
	}
	// The connections are closed, so none waits for Redis.
	if l.rooms != nil {
		l.rooms.Close()
	}
	for _, w := range []*wire{l.appends, l.pages} {
		if w != nil {
			w.client.Close()
		}
	}
}
