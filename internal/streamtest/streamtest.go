// Package streamtest reads streams of Server-Sent Events in tests, as the HTML Standard has it (§9.2.6), and stricter:
// what a hub never sends is an error.
//
// Its main type is [Reader]. It starts no goroutine, and opens no connection but in [Open].
package streamtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Event is what stands between two blank lines: an event, or an id, a time to wait, or a comment alone.
type Event struct {
	Type    string // "message" where the stream does not say
	ID      string // "" where it has none
	Data    string // "" of what a browser's page does not see
	Retry   int    // milliseconds; -1 where none is told
	Comment string // with its colon; "" where there is none
}

// Message is the data of a message.
type Message struct {
	ID       string `json:"id"`
	Position string `json:"position"`
	Scope    string `json:"scope"`
	Time     string `json:"time"`
	From     *struct {
		ID   string  `json:"id"`
		Name *string `json:"name"`
	} `json:"from"`
	Hub  string          `json:"hub"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Message returns the message that the event is.
func (e Event) Message() (m Message, err error) {
	if e.Type != "message" || e.Data == "" {
		return m, fmt.Errorf("%+v is no message", e)
	}
	d := json.NewDecoder(strings.NewReader(e.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("read %q: %w", e.Data, err)
	}
	if m.ID == "" || m.Time == "" || m.From == nil || m.From.Name == nil || m.Kind == "" || m.Position != e.ID {
		return m, fmt.Errorf("%+v has not what a message has", e)
	}
	return m, nil
}

// Reader reads a stream. It is for one goroutine.
type Reader struct {
	// LastID is what a client that connects again shows.
	LastID string

	lines *bufio.Reader
}

// NewReader returns a reader of the bytes behind the head of an answer.
func NewReader(r io.Reader) *Reader { return &Reader{lines: bufio.NewReader(r)} }

// Next returns what comes next. A stream that ends in the middle of an event ends before it.
func (r *Reader) Next() (e Event, err error) {
	e.Retry, e.Type = -1, "message"
	for some := false; ; some = true {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			if err == io.EOF && (some || line != "") {
				err = io.ErrUnexpectedEOF
			}
			return Event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			if !some {
				return Event{}, errors.New("a blank line too many")
			}
			if e.ID != "" {
				r.LastID = e.ID
			}
			return e, nil
		}
		if err := e.take(line); err != nil {
			return Event{}, err
		}
	}
}

// take takes one line.
func (e *Event) take(line string) (err error) {
	if strings.ContainsRune(line, '\r') {
		return fmt.Errorf("%q has a carriage return", line)
	}
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "":
		e.Comment = line
	case "event":
		e.Type = value
	case "id":
		e.ID = value
	case "data":
		if e.Data != "" {
			return errors.New("data of more than one line")
		}
		e.Data = value
	case "retry":
		e.Retry, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("line %q", line)
	}
	return err
}

// Stream is an open stream over a connection of its own.
type Stream struct {
	*Reader
	Conn   *net.TCPConn
	Header http.Header
}

// Open asks the server at addr for a path with a query, and returns the stream when the head of the answer is there. With
// a last id it resumes there. An answer other than a stream is an error that wraps a *Refused. The deadline is for all that
// is read.
func Open(ctx context.Context, addr, path, lastID string, deadline time.Duration) (*Stream, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s, err := ask(conn.(*net.TCPConn), addr, path, lastID, deadline)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func ask(conn *net.TCPConn, addr, path, lastID string, deadline time.Duration) (*Stream, error) {
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		return nil, err
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nAccept: text/event-stream\r\n"
	if lastID != "" {
		request += "Last-Event-ID: " + lastID + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(conn, 4<<10)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		body, err := io.ReadAll(answer.Body)
		return nil, &Refused{answer.StatusCode, body, err}
	}
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" || answer.ContentLength >= 0 || !answer.Close {
		return nil, fmt.Errorf("a stream of type %q and length %d that closes: %v", kind, answer.ContentLength, answer.Close)
	}
	return &Stream{Reader: &Reader{LastID: lastID, lines: bufio.NewReader(answer.Body)}, Conn: conn, Header: answer.Header}, nil
}

// Close ends the connection. It may be called again.
func (s *Stream) Close() { _ = s.Conn.Close() }

// Refused is an answer that is no stream.
type Refused struct {
	Status int
	Body   []byte
	Err    error // of reading the body
}

// Error returns status and body.
func (r *Refused) Error() string { return fmt.Sprintf("status %d: %s", r.Status, r.Body) }

// Unwrap returns why the body could not be read.
func (r *Refused) Unwrap() error { return r.Err }
