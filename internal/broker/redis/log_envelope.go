package redis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// What a log keeps and publishes is messages, each encoded as in an envelope of the live rooms; see envelope.go. An
// entry of a stream has two fields, in this order:
//
//	e   the epoch
//	d   the message
//
// What one call publishes in the channel of the room is
//
//	version  1 byte, 1. Of another version nothing else may be assumed.
//	epoch    letters and digits, at least one, then a ':'
//	offset   of the first message, in decimal without leading zeros, then a ';'
//
// then each message, until the end. The script writes it, so it is text where text is easy for Lua.
const logVersion = 1

// cutLogHeader reads the beginning and returns what follows it. Nothing that it returns aliases the envelope but that.
func cutLogHeader(envelope string) (first hub.Position, rest string, err error) {
	if envelope == "" {
		return hub.Position{}, "", errShort
	}
	if envelope[0] != logVersion {
		return hub.Position{}, "", fmt.Errorf("%w %d", errVersion, envelope[0])
	}
	header, rest, found := strings.Cut(envelope[1:], ";")
	epoch, digits, found2 := strings.Cut(header, ":")
	offset, err := strconv.ParseUint(digits, 10, 64)
	if !found || !found2 || err != nil || offset == 0 || digits[0] == '0' || !isName(epoch) {
		return hub.Position{}, "", errShort
	}
	return hub.Position{Epoch: strings.Clone(epoch), Offset: offset}, rest, nil
}

// isName reports whether an epoch may be called so.
func isName(epoch string) bool {
	for i := range len(epoch) {
		c := epoch[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return epoch != ""
}

// decodeLogEnvelope reads what one call published in room. What cannot be read is not known either to be how many
// entries: nothing is returned then.
func decodeLogEnvelope(envelope, room string) ([]hub.Entry, error) {
	at, rest, err := cutLogHeader(envelope)
	if err != nil {
		return nil, err
	}
	n := countMessages(rest)
	entries, messages := make([]hub.Entry, 0, n), make([]protocol.Message, n) // two allocations for all
	for rest != "" {
		if len(messages) == 0 {
			return nil, errShort
		}
		m := &messages[0]
		messages = messages[1:]
		behind, err := cutMessage(m, rest)
		switch {
		case errors.Is(err, errShort):
			return nil, err
		case err != nil || m.Room != room:
			m = unreadable(room)
		}
		entries = append(entries, hub.Entry{At: at, Message: m})
		at.Offset++
		rest = behind
	}
	if len(entries) == 0 {
		return nil, errShort
	}
	return entries, nil
}

// countMessages returns how many messages stand in rest, as far as they can be told apart.
func countMessages(rest string) (n int) {
	for rest != "" {
		r := reader{rest: rest}
		r.bytes(1 + 8) // kind and time
		var size uint64
		for range messageFields {
			length := r.uvarint()
			if length > uint64(len(rest)) { // so that no sum overflows
				return n
			}
			size += length
		}
		if r.bytes(size); r.failed {
			return n
		}
		rest = r.rest
		n++
	}
	return n
}

// decodeRecord reads the message of an entry.
func decodeRecord(record, room string) *protocol.Message {
	m := new(protocol.Message)
	if rest, err := cutMessage(m, record); err != nil || rest != "" || m.Room != room {
		return unreadable(room)
	}
	return m
}

// unreadable stands for a message that this version cannot read: its position counts all the same.
func unreadable(room string) *protocol.Message { return &protocol.Message{Room: room} }

// onMessage takes what came from the library's reading goroutine, which is one at a time.
func (l *logLink) onMessage(m rueidis.PubSubMessage) {
	l.heard.Store(time.Now().UnixNano())
	if m.Channel == l.log.probe {
		select {
		case l.echo <- struct{}{}:
		default:
		}
		return
	}
	room := roomOf(m.Channel)
	if !l.log.rooms.wants(room) {
		return
	}
	entries, err := decodeLogEnvelope(m.Message, room)
	if err != nil {
		l.log.counts.invalid.Add(1)
		l.miss(room)
		return
	}
	size := 0
	for _, e := range entries {
		size += hub.MessageSize(e.Message)
	}
	if !l.in.Put(logEvent{room: room, entries: entries}, size) {
		l.log.counts.queue.Add(uint64(len(entries)))
		l.miss(room)
	}
}

// miss has the receiver told, once until it was, that it misses something of room.
func (l *logLink) miss(room string) {
	if l.log.rooms.miss(room) {
		l.in.Force(logEvent{room: room, missed: true}, 0)
	}
}
