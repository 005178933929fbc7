package ws

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// asked is what a request for a stream asks for.
type asked struct {
	room    string
	cursor  protocol.Position // where it goes on; zero for one that begins at the newest
	history int               // how many of the newest messages it begins with
}

// maxStreamHistory is how many messages a stream begins with at most; more are to be had from the history.
const maxStreamHistory = 256

// askedFor reads a request for a stream. A browser that connects again repeats the address and adds Last-Event-ID: that
// counts then, and not what the address says.
func (s *Server) askedFor(r *http.Request) (a asked, p *problem.Problem) {
	a.room = r.PathValue("room")
	if err := protocol.CheckRoom(a.room); err != nil {
		return a, bad(protocol.ErrBadRoom, err.Error(), protocol.RoomRule)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return a, bad(protocol.ErrBadQuery, "the query cannot be read", "write it as ?after=POSITION or ?history=N")
	}
	after := query.Get("after")
	if text := query.Get("history"); text != "" {
		if a.history, err = strconv.Atoi(text); err != nil || a.history < 0 || a.history > maxStreamHistory {
			return a, bad(protocol.ErrBadQuery, fmt.Sprintf("history is %.40q", text),
				fmt.Sprintf("ask for 0 to %d messages; GET /v1/rooms/{room}/messages has more", maxStreamHistory))
		}
	}
	if after != "" && a.history > 0 {
		return a, bad(protocol.ErrBadQuery, "the query has both after and history",
			"go on after a position, or begin with the newest messages")
	}
	if !s.hub.IsLog(a.room) {
		if after != "" || a.history > 0 {
			return a, &problem.Problem{
				Status: http.StatusConflict, Code: protocol.ErrNoHistory,
				Detail: fmt.Sprintf("%q is a live room, which keeps no messages", a.room),
				Fix:    "leave out after and history: the stream begins with what comes",
			}
		}
		return a, nil
	}
	from := "after"
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		from, after = "Last-Event-ID", last
	}
	if after == "" {
		return a, nil
	}
	if a.cursor, err = protocol.ParsePosition(after); err != nil {
		return a, bad(protocol.ErrBadPosition, from+": "+err.Error(), protocol.PositionRule)
	}
	return a, nil
}

func bad(code, detail, fix string) *problem.Problem {
	return &problem.Problem{Status: http.StatusBadRequest, Code: code, Detail: detail, Fix: fix}
}
