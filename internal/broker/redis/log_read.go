package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

const (
	// maxPageBytes is where a page ends, but for one message: what a slow connection must carry within Options.Timeout.
	maxPageBytes = 256 << 10

	// maxPages is how many reads are in one round.
	maxPages = 16
)

// readRequest is a read on its way.
type readRequest struct {
	room  string
	after hub.Position
	limit int
	keep  time.Duration // 0: make and refresh nothing
	done  func(hub.LogPage, error)
}

// giveUp answers a request that was not sent.
func (r *readRequest) giveUp() { r.done(hub.LogPage{}, hub.ErrAway) }

// pager is the worker that reads, in the order in which it was asked.
type pager struct {
	link    *logLink
	waiting []*readRequest
}

func (w *pager) add(requests []*readRequest) { w.waiting = append(w.waiting, requests...) }

func (w *pager) waits() bool { return len(w.waiting) > 0 }

func (w *pager) giveUp() {
	for _, r := range w.waiting {
		r.giveUp()
	}
}

func (w *pager) round() {
	l := w.link
	n := min(len(w.waiting), maxPages)
	requests := w.waiting[:n]
	w.waiting = w.waiting[n:]
	for try := 1; ; try++ {
		if requests = l.read(requests, try == maxTries); len(requests) == 0 {
			return
		}
		if err := l.reload(l.pages); err != nil {
			l.fail(err)
			for _, r := range requests {
				r.giveUp()
			}
			return
		}
	}
}

// read makes the reads in one pipeline and answers them, but those that Redis refused as it does not know the script:
// these it returns, unless it is the last try.
func (l *logLink) read(requests []*readRequest, last bool) (unknown []*readRequest) {
	ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
	defer cancel()
	commands := make([]rueidis.Completed, 0, len(requests))
	for _, r := range requests {
		commands = append(commands, l.readCommand(r))
	}
	for i, reply := range l.pages.client.DoMulti(ctx, commands...) {
		r := requests[i]
		page, err := r.parse(reply)
		if isNoScript(err) && !last {
			unknown = append(unknown, r)
			continue
		}
		if err == nil {
			r.done(page, nil)
			continue
		}
		err = fmt.Errorf("read room %q: %w", r.room, err)
		r.done(hub.LogPage{}, fmt.Errorf("%w: %w", hub.ErrAway, err))
		if ofOneRoom(err) {
			l.log.log.Warn("a room was not read", "why", err)
		} else {
			l.fail(err)
		}
	}
	return unknown
}

// readCommand returns the call of the script; see lua/read.lua for the arguments.
func (l *logLink) readCommand(r *readRequest) rueidis.Completed {
	return l.pages.client.B().Evalsha().Sha1(l.pages.loaded.Load().read).Numkeys(2).
		Key(streamKey(r.room), metaKey(r.room)).
		Arg(r.after.Epoch, strconv.FormatUint(r.after.Offset, 10), strconv.Itoa(r.limit), strconv.Itoa(maxPageBytes),
			newNonce(), milliseconds(r.keep)).
		Build()
}

// milliseconds returns d as scripts take it, rounded up so that only 0 is 0.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}

// statuses are what the script calls what it found.
var statuses = map[string]hub.LogStatus{
	"EMPTY": hub.LogEmpty, "TOP": hub.LogTop, "OK": hub.LogRead, "RESET": hub.LogReset,
}

// parse reads the answer of the script.
func (r *readRequest) parse(reply rueidis.RedisResult) (page hub.LogPage, err error) {
	values, err := reply.ToArray()
	if err != nil {
		return hub.LogPage{}, err
	}
	if len(values) != 6 {
		return hub.LogPage{}, fmt.Errorf("%w: %d values", errReply, len(values))
	}
	epoch, err1 := values[0].ToString()
	top, err2 := values[1].ToInt64()
	status, err3 := values[2].ToString()
	number, err4 := values[3].ToInt64()
	forks, err5 := values[4].ToString()
	entries, err6 := values[5].ToArray()
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return hub.LogPage{}, fmt.Errorf("%w: %w", errReply, err)
	}
	page = hub.LogPage{Status: statuses[status], Epoch: epoch, Top: uint64(top)}
	if forks != "" {
		if page.Forks, err = logroom.ParseForks(forks); err != nil {
			return hub.LogPage{}, fmt.Errorf("%w: %w", errReply, err)
		}
	}
	first := r.after.Offset + 1
	switch page.Status {
	case hub.LogRead:
		if page.Orphans = uint64(number); page.Orphans > 0 {
			first = page.Orphans
		}
	case hub.LogReset:
		page.Before = uint64(number)
	case hub.LogEmpty, hub.LogTop:
	default:
		return hub.LogPage{}, fmt.Errorf("%w: status %q", errReply, status)
	}
	page.Entries, err = parseEntries(entries, r.room, first)
	return page, err
}

// parseEntries reads epochs and messages in turns, the first at offset first.
func parseEntries(values []rueidis.RedisMessage, room string, first uint64) ([]hub.Entry, error) {
	if len(values)%2 != 0 {
		return nil, fmt.Errorf("%w: %d values of entries", errReply, len(values))
	}
	entries := make([]hub.Entry, len(values)/2)
	epoch := "" // mostly that of the entry before: one string for all
	for i := range entries {
		e, err1 := values[2*i].ToString()
		record, err2 := values[2*i+1].ToString()
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%w: %w", errReply, err)
		}
		if e != epoch {
			if epoch = e; !isName(epoch) {
				return nil, fmt.Errorf("%w: %q is no epoch", errReply, epoch)
			}
		}
		entries[i] = hub.Entry{
			At:      hub.Position{Epoch: epoch, Offset: first + uint64(i)},
			Message: decodeRecord(record, room),
		}
	}
	return entries, nil
}
