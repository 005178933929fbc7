package logroom

// rule is one rule of the contract that a test can switch off, to see that its tests notice. In production none is
// off, and asking costs one test of a bit.
type rule uint64

// The rules, in the order in which the code comes to them.
const (
	ruleConfirmed     rule = 1 << iota // a catch-up waits for a confirmed subscription, and each confirmation starts one
	ruleAwaited                        // a reply counts only for the request awaited now
	ruleBuffer                         // live entries wait while a catch-up runs
	ruleOverflow                       // a full buffer is thrown away, and another catch-up follows
	ruleAgain                          // a trigger during a catch-up starts another
	ruleLostEnds                       // a lost connection ends the catch-up and empties the buffer
	ruleEpoch                          // a live entry of another epoch is not taken by its offset
	ruleNewest                         // that epoch is the newest of the last page, not the cursor's
	ruleBehind                         // a live entry at or behind the cursor is dropped
	ruleGap                            // a live entry beyond the next one starts a catch-up
	ruleCheck                          // the position check starts one, where the log has another epoch, or was patient
	ruleAnswer                         // an answer beyond the next entry waits for what lies between
	ruleOwed                           // what the log has and did not hand over in time is read
	ruleOrphans                        // attached sessions are told of orphans
	ruleOrphansReplay                  // so are replaying sessions
	ruleCut                            // the ring is cut where orphans begin
	ruleReset                          // attached sessions are told of a reset
	ruleResetReplay                    // replaying ones are placed again
	ruleName                           // the cursor goes by the name of an epoch that is still listed
	ruleResumeEpoch                    // an epoch that is not listed is reset
	ruleResumeBeyond                   // so is a cursor beyond the room's
	ruleResumeWait                     // but only after a catch-up begun after the resume arrived
	ruleResumeOrphans                  // a resume is told of orphans
	ruleReplayBound                    // a replay does not go beyond the room's cursor
	ruleReplayEpoch                    // a page of another epoch or with orphans is thrown away
	ruleReplayTrimmed                  // a trimmed page resets the session
	ruleOwn                            // a publisher gets its own message as its position alone
	ruleRecalled                       // what came as history is held no more
	ruleAckBehind                      // an outcome is sent at once only where it is not beyond the session's cursor
	ruleAckNewest                      // and where the log's newest epoch is the room's
	ruleBirth                          // a message is shown only to whom cannot have it by the log
	ruleProvisional                    // and to whom takes it
	ruleOnce                           // what is in the outbox is neither added nor shown again
	ruleFull                           // a full outbox refuses
	ruleQueue                          // new publications queue behind the outbox
	ruleFirst                          // the outbox waits until the room has caught up
	ruleUnknown                        // what is in flight when the hub is cut off is answered unknown
	ruleAge                            // what is too old leaves the outbox
	ruleSettle                         // holders are told the position that the stream does not bring them
	ruleGone                           // what was read for the ring is forgotten where the log is lost
	ruleOrder                          // what fails is queued in the order in which it was published
	ruleShow                           // what waits in the outbox is shown when the hub is cut off
	ruleSkipped                        // a publisher is told what a reset passed over
	ruleMarks                          // what is remembered of messages shown is bounded
)

// holds reports whether a rule is in force.
func (r *Room) holds(x rule) bool { return r.off&x == 0 }
