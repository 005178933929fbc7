package ws

import (
	"encoding/json"
	"strconv"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file has what a stream of events is told: lines of text/event-stream (HTML Standard §9.2), each event with the
// blank line that ends it. A client that ends in the middle of one begins with it again.

// keepAlive is a comment. Proxies and clients see by it that the stream lives.
var keepAlive = &frame{bytes: []byte(":\n\n")}

// eventFrame encodes d as an event.
func eventFrame(d protocol.Delivery) *frame {
	f := &frame{bytes: protocol.AppendEvent(make([]byte, 0, encodedSize(d.Message)), d)}
	f.room = d.Room
	return f
}

// idFrame tells a position alone: an event without data, which clients do not see and go on from.
func idFrame(at protocol.Position) *frame { return &frame{bytes: protocol.AppendEventID(nil, at)} }

// gapEvent tells of messages of a live room that were dropped.
func gapEvent(lost int) *frame { return namedEvent(protocol.TypeGap, "", told{Count: &lost}) }

// retryFrame has a client wait for so many milliseconds before it connects again.
func retryFrame(milliseconds int64) *frame {
	return &frame{bytes: append(strconv.AppendInt([]byte("retry: "), milliseconds, 10), "\n\n"...)}
}

// snapshotFrame encodes a snapshot, which is one line.
func snapshotFrame(line []byte) *frame {
	b := append(make([]byte, 0, len(line)+8), "data: "...)
	return &frame{bytes: append(append(b, line...), "\n\n"...), snapshot: true}
}

// told is the data of an event that is no message.
type told struct {
	Position string `json:"position,omitempty"` // the client's cursor from here on
	Count    *int   `json:"count,omitempty"`
}

// namedEvent encodes an event that is no message. An id is the new cursor.
func namedEvent(name, id string, data told) *frame {
	b := append([]byte("event: "), name...)
	if id != "" {
		b = append(append(b, "\nid: "...), id...)
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // a string and a number
	}
	b = append(append(b, "\ndata: "...), text...)
	return &frame{bytes: append(b, "\n\n"...)}
}

// eventOf returns what streams are told instead of a frame of hub.v1; nil where that is nothing. What comes as often as
// messages do does not come this way.
func eventOf(payload []byte) *frame {
	f, err := protocol.DecodeFrame(payload)
	if err != nil {
		panic(err) // the hub made it
	}
	switch f.Type {
	case protocol.TypeSubscribed:
		return &frame{bytes: []byte("id: " + f.Position + "\n\n")}
	case protocol.TypeOrphans, protocol.TypeReset:
		return namedEvent(f.Type, f.Position, told{Position: f.Position, Count: f.Count})
	case protocol.TypeBye:
		return retryFrame(*f.Retry)
	}
	return nil
}
