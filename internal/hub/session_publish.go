package hub

import (
	"slices"
	"strconv"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func (s *Session) receivePlain(data []byte, binary bool) error {
	kind := protocol.Text
	if binary {
		kind = protocol.Binary
	}
	if len(data) > s.hub.options.MaxMessage {
		return &CloseError{protocol.CodeTooBig, s.hub.tooBig(len(data)).Detail}
	}
	s.keys++
	key := strconv.FormatUint(s.keys, 36)
	s.hub.counts.websocket.Add(1)
	p := s.hub.publication(s.subs[0].room, key, s.client(), kind, slices.Clone(data))
	if s.hub.isLog(p.Room) {
		s.hub.publishLog(&p.Message, true, nil, plainReply{s.address()})
		return nil
	}
	s.hub.publish(p, s)
	return nil
}

func (s *Session) publish(f *protocol.Frame) error {
	own := f.Key == ""
	if own {
		s.keys++
		f.Key = "~" + s.dialog.connection[:10] + "." + strconv.FormatUint(s.keys, 36)
	}
	kind, err := protocol.ParseKind(f.Kind)
	if err != nil {
		s.refuse(f, &Refusal{protocol.ErrBadData, err.Error(), "the kinds are text, json and binary"})
		return nil
	}
	data, err := protocol.DecodeData(kind, f.Data)
	if err != nil {
		s.refuse(f, &Refusal{protocol.ErrBadData, err.Error(),
			"data is a string, any JSON value for kind json, base64 for kind binary"})
		return nil
	}
	if refusal := s.hub.check(f.Room, f.Key, kind, data); refusal != nil {
		if refusal.Code == protocol.ErrTooBig {
			return &CloseError{protocol.CodeTooBig, refusal.Detail}
		}
		s.refuse(f, refusal)
		return nil
	}
	birth, refusal := birthOf(f)
	if refusal != nil {
		s.refuse(f, refusal)
		return nil
	}
	p := s.hub.publication(f.Room, f.Key, s.client(), kind, data)
	s.hub.counts.websocket.Add(1)
	if s.hub.isLog(p.Room) {
		s.hub.publishLog(&p.Message, own, birth, v1Reply{s.address(), f.Key})
		return nil
	}
	s.hub.publish(p, s)
	ack := make([]byte, 0, 64+len(f.Room)+len(f.Key)+len(p.ID))
	s.shard.Ack(s, protocol.AppendAck(ack, protocol.Ack{Room: f.Room, Key: f.Key, ID: p.ID, Scope: protocol.ScopeLive}))
	return nil
}

// birthOf returns where the client was in the room when it made the message: nil where that is now, as it was never sent
// before.
func birthOf(f *protocol.Frame) (*Position, *Refusal) {
	if f.Birth == nil {
		return nil, nil
	}
	birth := new(Position)
	if *f.Birth == "" {
		return birth, nil
	}
	var err error
	if *birth, err = protocol.ParsePosition(*f.Birth); err != nil {
		return nil, &Refusal{protocol.ErrBadPosition, "birth: " + err.Error(), protocol.PositionRule}
	}
	return birth, nil
}
