package ws

import (
	"encoding/json"
	"strconv"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file has what a stream of events is told: lines of text/event-stream (HTML Standard §9.2), each event with the
// blank line that ends it. A client that ends in the middle of one begins with it again.

// keepAlive is a comment. Proxies and clients see by it that the stream lives.
var keepAlive = single([]byte(":\n\n"), frame{})

// idBlock tells a position alone: an event without data, which clients do not see and go on from.
func idBlock(at protocol.Position) *block { return single(protocol.AppendEventID(nil, at), frame{}) }

// gapEvent tells of messages of a live room that were dropped.
func gapEvent(lost int) *block { return namedEvent(protocol.TypeGap, "", told{Count: &lost}) }

// retryBlock has a client wait for so many milliseconds before it connects again.
func retryBlock(milliseconds int64) *block {
	return single(append(strconv.AppendInt([]byte("retry: "), milliseconds, 10), "\n\n"...), frame{})
}

// snapshotBlock encodes a snapshot, which is one line.
func snapshotBlock(line []byte) *block {
	b := append(make([]byte, 0, len(line)+8), "data: "...)
	return single(append(append(b, line...), "\n\n"...), frame{snapshot: true})
}

// told is the data of an event that is no message.
type told struct {
	Position string `json:"position,omitempty"` // the client's cursor from here on
	Count    *int   `json:"count,omitempty"`
}

// namedEvent encodes an event that is no message. An id is the new cursor.
func namedEvent(name, id string, data told) *block {
	b := append([]byte("event: "), name...)
	if id != "" {
		b = append(append(b, "\nid: "...), id...)
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // a string and a number
	}
	b = append(append(b, "\ndata: "...), text...)
	return single(append(b, "\n\n"...), frame{})
}

// eventOf returns what streams are told instead of a frame of hub.v1; nil where that is nothing. What comes as often as
// messages do does not come this way.
func eventOf(payload []byte) *block {
	f, err := protocol.DecodeFrame(payload)
	if err != nil {
		panic(err) // the hub made it
	}
	switch f.Type {
	case protocol.TypeSubscribed:
		return single([]byte("id: "+f.Position+"\n\n"), frame{})
	case protocol.TypeOrphans, protocol.TypeReset:
		return namedEvent(f.Type, f.Position, told{Position: f.Position, Count: f.Count})
	case protocol.TypeBye:
		return retryBlock(*f.Retry)
	}
	return nil
}
