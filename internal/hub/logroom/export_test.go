package logroom

import "slices"

// Rule is a rule that tests switch off.
type Rule = rule

// The rules, by their names.
var Rules = []struct {
	Name string
	Rule Rule
}{
	{"confirmed", ruleConfirmed}, {"awaited", ruleAwaited}, {"buffer", ruleBuffer}, {"overflow", ruleOverflow},
	{"again", ruleAgain}, {"lost ends", ruleLostEnds}, {"epoch", ruleEpoch}, {"newest", ruleNewest},
	{"behind", ruleBehind}, {"gap", ruleGap}, {"check", ruleCheck},
	{"answer", ruleAnswer}, {"owed", ruleOwed}, {"orphans", ruleOrphans},
	{"orphans replay", ruleOrphansReplay}, {"cut", ruleCut}, {"reset", ruleReset}, {"reset replay", ruleResetReplay},
	{"name", ruleName}, {"resume epoch", ruleResumeEpoch}, {"resume beyond", ruleResumeBeyond},
	{"resume wait", ruleResumeWait}, {"resume orphans", ruleResumeOrphans}, {"replay bound", ruleReplayBound},
	{"replay epoch", ruleReplayEpoch}, {"replay trimmed", ruleReplayTrimmed}, {"own", ruleOwn},
	{"ack behind", ruleAckBehind}, {"ack newest", ruleAckNewest}, {"birth", ruleBirth},
	{"recalled", ruleRecalled}, {"provisional", ruleProvisional},
	{"once", ruleOnce}, {"full", ruleFull}, {"queue", ruleQueue}, {"first", ruleFirst}, {"unknown", ruleUnknown},
	{"age", ruleAge},
	{"settle", ruleSettle}, {"marks", ruleMarks},
	{"gone", ruleGone}, {"order", ruleOrder}, {"show", ruleShow}, {"skipped", ruleSkipped},
}

// SwitchOff switches rules off.
func (r *Room) SwitchOff(x Rule) { r.off |= x }

// Sizes is what a room holds.
type Sizes struct {
	Ring, RingBytes, Buffer, Marks, Pairs, Forks int
	Unanswered, Outbox                           int
}

// Sizes returns what the room holds.
func (r *Room) Sizes() Sizes {
	return Sizes{
		Ring: r.ring.len(), RingBytes: r.ring.bytes, Buffer: len(r.buffer), Marks: len(r.marks.ids), Pairs: r.marks.pairs, Forks: len(r.forks),
		Unanswered: len(r.inflight), Outbox: len(r.outbox),
	}
}

// Quiet reports whether the room waits for nothing.
func (r *Room) Quiet() bool {
	requests := int(r.recalling.request) + len(r.pages) + len(r.inflight) + len(r.outbox)
	return !r.running && !r.again && r.behind == 0 && r.recalls == 0 && requests == 0
}

// Running reports whether a catch-up is under way.
func (r *Room) Running() bool { return r.running }

// Epoch returns the newest epoch that the room knows.
func (r *Room) Epoch() string { return r.epoch }

// Ring is the ring.
type Ring = ring

// NewRing returns an empty one.
func NewRing(limit, bytes int) *Ring { return &ring{limit: limit, limitBytes: bytes} }

// Push, Cut and After are its methods.
func (g *Ring) Push(e Entry)                        { g.push(e) }
func (g *Ring) Cut(offset uint64)                   { g.cut(offset) }
func (g *Ring) After(offset uint64) ([]Entry, bool) { return g.after(offset) }

// Size returns what a message counts for.
var Size = size

// Keeps reports whether the outbox has a message.
func (r *Room) Keeps(id string) bool {
	return slices.ContainsFunc(r.outbox, func(k *kept) bool { return k.Message.ID == id })
}
