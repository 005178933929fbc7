// Package logroom is the core of log rooms: what one hub does for one room whose messages have positions, a history
// and a resume. It decides, and moves no byte.
//
// Its main type is [Room], a state machine: [Room.Step] takes one [Event] and appends the [Effect]s that it has. The
// events are what brokers answer, what clients ask for, and the passing of time; the effects are what to ask the
// broker for and what to send to which session. All that a room does follows from its events in their order, so that
// a simulator can put it through every fault, again and again.
//
// A room starts no goroutine, reads no clock and draws no random number: the time comes with each step, the keys of
// messages with their events, and the names of epochs are made where scripts are called. A room is used by one
// goroutine at a time; [Budget] alone is shared by the rooms of a hub.
//
// The package encodes nothing, knows neither Redis nor WebSocket, and keeps nothing beyond memory. Which rooms there
// are, who may read them, when a broker counts as unreachable and how calls are batched is for others to decide. What
// is promised to whom is specified in docs/adr/0008-log-rooms.md and what it refers to.
package logroom
