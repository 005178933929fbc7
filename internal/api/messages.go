package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// published is the answer to a publication.
type published struct {
	ID        string `json:"id"`
	Position  string `json:"position,omitempty"` // of scope cluster
	Scope     string `json:"scope"`
	Duplicate bool   `json:"duplicate,omitempty"`
}

func (a *Handler) publish(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if r.Header["Idempotency-Key"] != nil {
		if err := protocol.CheckKey(key); err != nil {
			refuse(w, http.StatusBadRequest, &hub.Refusal{Code: protocol.ErrBadKey, Detail: err.Error(), Fix: protocol.KeyRule})
			return
		}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.hub.MaxMessage())))
	if err != nil {
		a.refuseBody(w, err)
		return
	}
	p, err := a.hub.PublishHTTP(r.Context(), identityOf(r), r.PathValue("room"), key, kindOf(r.Header.Get("Content-Type")), data)
	if err != nil {
		a.refuse(w, err)
		return
	}
	answer := published{ID: p.ID, Scope: p.Scope, Duplicate: p.Duplicate}
	status := http.StatusAccepted
	if p.Scope == protocol.ScopeCluster {
		answer.Position, status = p.At.String(), http.StatusCreated
	}
	reply(w, status, answer)
}

// kindOf returns the kind of message that a body of this content type is. What is neither JSON nor known to be binary
// is taken for text: no type at all, and the type of forms, which curl -d sends.
func kindOf(contentType string) protocol.Kind {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return protocol.Text
	}
	switch {
	case media == "application/json":
		return protocol.JSON
	case media == "application/octet-stream", strings.HasPrefix(media, "image/"), strings.HasPrefix(media, "audio/"),
		strings.HasPrefix(media, "video/"):
		return protocol.Binary
	}
	return protocol.Text
}

func (a *Handler) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, &hub.Refusal{
			Code:   protocol.ErrTooBig,
			Detail: fmt.Sprintf("the message has more than %d bytes", tooLarge.Limit),
			Fix:    "send less at once, or start the hubs with a larger --max-message",
		})
		return
	}
	a.log.Debug("cannot read the body of a request", "error", err)
	refuse(w, http.StatusBadRequest, &hub.Refusal{
		Code: protocol.ErrBadData, Detail: "the body could not be read to its end", Fix: "send it again",
	})
}

// history is the answer to a request for it.
type history struct {
	Messages []message `json:"messages"`
	Next     *string   `json:"next"` // null where the room has no log
	Reset    bool      `json:"reset"`
	Orphans  uint64    `json:"orphans"`
}

// message is one message of a history.
type message struct {
	ID       string          `json:"id"`
	Position string          `json:"position"`
	Time     string          `json:"time"`
	From     sender          `json:"from"`
	Hub      string          `json:"hub"`
	Kind     string          `json:"kind"`
	Data     json.RawMessage `json:"data"`
}

// sender is who published a message; the name may be empty.
type sender struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// defaultHistory is how many messages a request gets that does not say.
const defaultHistory = 50

func (a *Handler) history(w http.ResponseWriter, r *http.Request) {
	after, limit, refusal := pageOf(r.URL.RawQuery)
	if refusal != nil {
		a.refuse(w, refusal)
		return
	}
	page, err := a.hub.History(r.Context(), r.PathValue("room"), after, limit)
	if err != nil {
		a.refuse(w, err)
		return
	}
	answer := history{Messages: make([]message, len(page.Entries)), Reset: page.Reset, Orphans: page.Orphans}
	for i, e := range page.Entries {
		m := e.Message
		answer.Messages[i] = message{
			ID: m.ID, Position: e.At.String(), Time: protocol.FormatTime(m.Time), From: sender(m.From), Hub: m.Hub,
			Kind: m.Kind.String(), Data: protocol.EncodeData(m.Kind, m.Data),
		}
	}
	if !page.Next.IsZero() {
		next := page.Next.String()
		answer.Next = &next
	}
	reply(w, http.StatusOK, answer)
}

// pageOf returns which page of the history is asked for.
func pageOf(query string) (after hub.Position, limit int, refusal *hub.Refusal) {
	text, limit, refusal := queryOf(query, "POSITION", defaultHistory, hub.MaxHistory)
	if refusal != nil || text == "" {
		return after, limit, refusal
	}
	after, err := protocol.ParsePosition(text)
	if err != nil {
		return after, 0, &hub.Refusal{
			Code: protocol.ErrBadPosition, Detail: "after: " + err.Error(), Fix: protocol.PositionRule,
		}
	}
	return after, limit, nil
}

// queryOf reads a query that asks for a page: behind what, which is called by this name, and of how many.
func queryOf(query, what string, byDefault, most int) (after string, limit int, refusal *hub.Refusal) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, &hub.Refusal{
			Code: protocol.ErrBadQuery, Detail: "the query cannot be read", Fix: "write it as ?after=" + what + "&limit=N",
		}
	}
	limit = byDefault
	if text := values.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > most {
			return "", 0, &hub.Refusal{
				Code: protocol.ErrBadQuery, Detail: fmt.Sprintf("limit is %.40q", text), Fix: fmt.Sprintf("ask for 1 to %d", most),
			}
		}
	}
	return values.Get("after"), limit, nil
}
