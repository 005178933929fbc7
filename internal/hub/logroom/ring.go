package logroom

import "github.com/soumya-codes/realtime-hub/protocol"

// Entry is a message at its place in the log. It is immutable, and shared.
type Entry struct {
	At      Position
	Message *protocol.Message // From.ID is its publisher
}

// ring holds the last entries of the log, up to the room's cursor and without a hole, bounded in number and in bytes.
type ring struct {
	limit, limitBytes int // immutable

	entries []Entry // oldest first, from index start
	start   int
	bytes   int
}

// push appends e, and makes room for it.
func (g *ring) push(e Entry) {
	g.entries = append(g.entries, e)
	g.bytes += size(e.Message)
	g.trim()
}

// trim drops the oldest entries where there are more than there may be.
func (g *ring) trim() {
	for n := g.len(); n > g.limit || n > 1 && g.bytes > g.limitBytes; n-- {
		g.bytes -= size(g.entries[g.start].Message)
		g.entries[g.start] = Entry{}
		g.start++
	}
	if g.start > g.limit { // moved once in limit pushes
		n := copy(g.entries, g.entries[g.start:])
		clear(g.entries[n:])
		g.entries, g.start = g.entries[:n], 0
	}
}

// cut drops what lies beyond offset.
func (g *ring) cut(offset uint64) {
	for n := len(g.entries); n > g.start && g.entries[n-1].At.Offset > offset; n-- {
		g.bytes -= size(g.entries[n-1].Message)
		g.entries[n-1] = Entry{}
		g.entries = g.entries[:n-1]
	}
}

// prepend puts entries that end at the offset before the oldest in front of it, as far as there is room. Entries that do
// not are left out: the ring has changed since they were read.
func (g *ring) prepend(entries []Entry, before uint64) {
	n := len(entries)
	if n == 0 || entries[n-1].At.Offset != before {
		return
	}
	own := g.entries[g.start:]
	g.entries, g.start, g.bytes = append(entries[:n:n], own...), 0, g.bytes+sizes(entries)
	g.trim()
}

func sizes(entries []Entry) (bytes int) {
	for _, e := range entries {
		bytes += size(e.Message)
	}
	return bytes
}

// full reports whether the ring holds about as much as it can.
func (g *ring) full() bool { return g.len() >= g.limit || g.bytes > g.limitBytes/4*3 }

func (g *ring) clear() { g.entries, g.start, g.bytes = nil, 0, 0 }

func (g *ring) len() int { return len(g.entries) - g.start }

// after returns the entries beyond offset, and whether the ring reaches back to it. The result is not to be kept.
func (g *ring) after(offset uint64) ([]Entry, bool) {
	if g.len() == 0 {
		return nil, false
	}
	oldest := g.entries[g.start].At.Offset
	if offset+1 < oldest || offset-oldest+1 > uint64(g.len()) {
		return nil, false
	}
	return g.entries[g.start+int(offset+1-oldest):], true
}

// overhead is what an entry costs beside its texts.
const overhead = 256

// size returns how many bytes m counts for where memory is bounded.
func size(m *protocol.Message) int {
	return overhead + len(m.Room) + len(m.ID) + len(m.From.ID) + len(m.From.Name) + len(m.Data)
}
