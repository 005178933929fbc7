package hub

import (
	"context"
	"fmt"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// MaxHistory is the most messages of history that are told at once.
const MaxHistory = 1000

// History is a page of the history of a log room.
type History struct {
	Entries []Entry  // oldest first; those that this version cannot read are left out
	Next    Position // what the next page is asked for with; zero where the room has no log
	Reset   bool     // the log does not go on from where it was asked for: the page begins at the oldest that is kept
	Orphans uint64   // so many positions up to there were lost
}

// History reads at most limit messages of room behind after, or from no position the newest. It returns a *Refusal where
// room is a live room, or the log cannot be read now, and waits until ctx is done at most. It creates nothing.
func (h *Hub) History(ctx context.Context, room string, after Position, limit int) (History, error) {
	if err := protocol.CheckRoom(room); err != nil {
		return History{}, &Refusal{protocol.ErrBadRoom, err.Error(), protocol.RoomRule}
	}
	if !h.isLog(room) {
		return History{}, &Refusal{protocol.ErrNoHistory, fmt.Sprintf("%q is a live room, which keeps no messages", room),
			"receive them as they come, over a WebSocket at /ws"}
	}
	limit = max(1, min(limit, MaxHistory))
	newest := after.IsZero()
	if newest {
		p, err := h.read(ctx, room, Position{}, 1)
		if err != nil || p.Status == LogEmpty {
			return History{}, err
		}
		after = Position{Epoch: p.Epoch, Offset: p.Top - min(p.Top, uint64(limit))}
	}
	p, err := h.read(ctx, room, after, limit)
	if err != nil {
		return History{}, err
	}
	if newest {
		return h.newest(ctx, room, p, limit)
	}
	var out History
	if p.Status == LogReset {
		out.Reset = true
		if p.Epoch == "" {
			return out, nil // there is no log any more
		}
		after = Position{Epoch: p.Epoch, Offset: p.Before}
		if p, err = h.read(ctx, room, after, limit); err != nil {
			return History{}, err
		}
	}
	if p.Orphans > 0 {
		out.Orphans = after.Offset - p.Orphans + 1
		after = p.Forks.At(p.Orphans - 1)
	}
	out.Next = after
	for _, e := range p.Entries {
		out.Next = e.At
		if e.Message.Kind != 0 {
			out.Entries = append(out.Entries, e)
		}
	}
	return out, nil
}

// newestMost is how many bytes of the newest messages are told, but for one message: as much as a page holds.
const newestMost = 256 << 10

// newest reads on to the end of the log, and keeps the last messages.
func (h *Hub) newest(ctx context.Context, room string, p LogPage, limit int) (out History, err error) {
	out.Next = p.Forks.At(p.Top)
	bytes := 0
	for {
		if p.Status == LogReset { // fewer are kept
			out.Next = Position{Epoch: p.Epoch, Offset: p.Before}
		}
		for _, e := range p.Entries {
			out.Next = e.At
			if e.Message.Kind != 0 {
				out.Entries = append(out.Entries, e)
				bytes += MessageSize(e.Message)
			}
			for len(out.Entries) > limit || len(out.Entries) > 1 && bytes > newestMost {
				bytes -= MessageSize(out.Entries[0].Message)
				out.Entries = out.Entries[1:]
			}
		}
		if out.Next.Offset >= p.Top || len(p.Entries) == 0 && p.Status != LogReset {
			return out, nil
		}
		if p, err = h.read(ctx, room, out.Next, limit); err != nil {
			return History{}, err
		}
	}
}

// read reads a page and waits for it.
func (h *Hub) read(ctx context.Context, room string, after Position, limit int) (LogPage, error) {
	type answer struct {
		page LogPage
		err  error
	}
	answered := make(chan answer, 1) // sent once, by the log; nobody may be there to receive
	err := h.logs.Read(room, after, limit, false, func(p LogPage, err error) { answered <- answer{p, err} })
	if err == nil {
		select {
		case a := <-answered:
			if a.err == nil {
				return a.page, nil
			}
			err = a.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	h.log.Debug("cannot read history", "room", room, "error", err)
	return LogPage{}, &Refusal{protocol.ErrIsolated, "the hub cannot read the log now", "try again in a second"}
}
