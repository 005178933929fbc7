package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// newSub returns the command `sub`.
func newSub(p *process) *cobra.Command {
	var c config.Sub
	var s *settings
	var file *tokenFile
	cmd := &cobra.Command{
		Use:   "sub ROOM...",
		Short: "Print the messages of rooms",
		Long: "Print the messages that are published in rooms, one a line: room, sender, text. Control " +
			"characters in them are escaped. When the connection is lost it comes back by itself, in a log room " +
			"where it was, and what may be missing is told.",
		Example: "  realtime-hub sub lobby\n  realtime-hub sub --json --count 10 lobby news",
		Args:    wantArgs(1, maxRooms, "realtime-hub sub lobby"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRooms(args); err != nil {
				return err
			}
			if err := s.loadPlain(); err != nil {
				return err
			}
			tokens, err := file.tokens(s, c.Reach.Token)
			if err != nil {
				return err
			}
			return (&subscriber{process: p, config: c, tokens: tokens}).run(cmd.Context(), args)
		},
	}
	s = newSettings(p, cmd, &c)
	file = newTokenFile(cmd)
	return cmd
}

// maxRooms is how many rooms a session may join (docs/protocol.md).
const maxRooms = 100

// subscriber prints messages. It belongs to one goroutine.
type subscriber struct {
	process *process
	config  config.Sub
	tokens  func(context.Context) (string, error) // nil where there are none
	printed int
}

// received is a message, or what takes its place in the order: a gap, or why there are no more.
type received struct {
	message client.Message
	err     error
}

// run prints the messages of rooms until there were as many as the configuration says, or ctx is done.
func (s *subscriber) run(ctx context.Context, names []string) error {
	// A connection that is lost is told at once, not only when it is back.
	log := slog.New(slog.NewTextHandler(s.process.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	c, err := dial(ctx, s.config.Reach.Hub, s.tokens, client.WithLog(log))
	if err != nil {
		return unlessDone(ctx, err)
	}
	defer c.Close()
	var rooms []*client.Room
	for _, name := range names {
		room, err := c.Join(ctx, name)
		if err != nil {
			return unlessDone(ctx, err)
		}
		rooms = append(rooms, room)
	}
	s.process.complain("joined "+strings.Join(names, ", ")+" at "+c.Hub(), "")
	return s.printAll(ctx, rooms)
}

// unlessDone returns err, or nil where ctx is done: to stop is then what was wanted, and there is nothing to lose.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// printAll prints what comes from rooms, in the order in which it comes.
func (s *subscriber) printAll(ctx context.Context, rooms []*client.Room) error {
	reading, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	// Sent by the readers and received here. It holds nothing: what waits stands in the client's bounded buffers, which
	// tell what they drop. It is not closed, as its senders are several; their last error ends the loop.
	messages := make(chan received)
	for _, room := range rooms {
		readers.Go(func() { // ends with reading; the deferred Wait waits for it
			for m, err := range room.Messages(reading) {
				select {
				case messages <- received{m, err}:
				case <-reading.Done():
					return
				}
			}
		})
	}
	for s.config.Count == 0 || s.printed < s.config.Count {
		select {
		case r := <-messages:
			if err := s.print(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// print prints one message, or tells of a gap. It returns other errors.
func (s *subscriber) print(r received) error {
	if gap, ok := errors.AsType[*client.Gap](r.err); ok {
		s.process.complain(gap.Error(), "")
		return nil
	}
	if r.err != nil {
		return r.err
	}
	format := textLine
	if s.config.JSON {
		format = messageJSON
	}
	line, err := format(&r.message)
	if err != nil {
		return fmt.Errorf("encode message %s: %w", r.message.ID, err)
	}
	s.printed++
	_, err = s.process.stdout.Write(line)
	return err
}

// textLine returns m for people: room, sender, text. A sender without a name is shown by its id.
func textLine(m *client.Message) ([]byte, error) {
	sender := m.From.Name
	if sender == "" {
		sender = m.From.ID
	}
	text := string(m.Data)
	if m.Kind == protocol.Binary {
		text = fmt.Sprintf("(binary, %d bytes)", len(m.Data))
	}
	return fmt.Appendf(nil, "%s  %s  %s\n", escape(m.Room), escape(sender), escape(text)), nil
}

// messageJSON returns m for programs.
func messageJSON(m *client.Message) ([]byte, error) {
	line := struct {
		Room     string          `json:"room"`
		ID       string          `json:"id"`
		Position string          `json:"position,omitempty"`
		Scope    string          `json:"scope,omitempty"`
		Past     bool            `json:"past,omitempty"`
		From     protocol.Client `json:"from"`
		Hub      string          `json:"hub"`
		Time     string          `json:"time"`
		Kind     string          `json:"kind"`
		Data     any             `json:"data"` // a string, the value itself, or base64, as in docs/protocol.md
	}{
		Room: m.Room, ID: m.ID, Position: position(m.Position), Past: m.Past,
		From: m.From, Hub: m.Hub, Time: protocol.FormatTime(m.Time), Kind: m.Kind.String(),
	}
	if m.Provisional {
		line.Scope = protocol.ScopeHub
	}
	switch m.Kind {
	case protocol.JSON:
		line.Data = json.RawMessage(m.Data)
	case protocol.Binary:
		line.Data = m.Data
	default:
		line.Data = string(m.Data)
	}
	return jsonLine(line)
}
