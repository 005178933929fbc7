package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/protocol"
)

const (
	// publishTimeout is how long the hub may take to acknowledge a message, reconnections included.
	publishTimeout = 10 * time.Second
	// maxLine is the most bytes of a line of the input, above every limit of a hub that makes sense.
	maxLine = 16 << 20
)

// newPub returns the command `pub`.
func newPub(p *process) *cobra.Command {
	var c config.Pub
	var s *settings
	var file *tokenFile
	cmd := &cobra.Command{
		Use:   "pub ROOM [DATA or -]",
		Short: "Publish messages in a room",
		Long: "Publish DATA in a room and exit. Without DATA, or with -, each line of the standard input is a " +
			"message, and is published as soon as it is there. A message counts as published when the hub has " +
			"acknowledged it; in a log room it is sent again where the connection is lost meanwhile.",
		Example: "  realtime-hub pub lobby 'hello, everybody'\n  tail -f app.log | realtime-hub pub logs\n" +
			"  realtime-hub pub --kind json lobby '{\"temperature\": 21}'",
		Args: wantArgs(1, 2, "realtime-hub pub lobby 'hello, everybody'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRooms(args[:1]); err != nil {
				return err
			}
			if err := s.loadPlain(); err != nil {
				return err
			}
			kind, err := protocol.ParseKind(c.Kind)
			if err != nil {
				return fmt.Errorf("kind of the message: %w", err)
			}
			tokens, err := file.tokens(s, c.Reach.Token)
			if err != nil {
				return err
			}
			pub := &publisher{process: p, config: c, tokens: tokens, room: args[0], kind: kind}
			if len(args) == 1 || args[1] == "-" {
				return pub.publishLines(cmd.Context())
			}
			if err := kind.Check([]byte(args[1])); err != nil {
				return &usageError{fmt.Sprintf("bad DATA: %v", err), "publish it as another --kind"}
			}
			return pub.publishOne(cmd.Context(), []byte(args[1]))
		},
	}
	s = newSettings(p, cmd, &c)
	file = newTokenFile(cmd)
	return cmd
}

// checkRooms returns the usage error for the first of names that is not the name of a room.
func checkRooms(names []string) error {
	for _, name := range names {
		if err := protocol.CheckRoom(name); err != nil {
			return &usageError{fmt.Sprintf("bad ROOM %q: %v", name, err), protocol.RoomRule}
		}
	}
	return nil
}

// publisher publishes messages in one room. It belongs to one goroutine.
type publisher struct {
	process *process
	config  config.Pub
	tokens  func(context.Context) (string, error) // nil where there are none
	room    string
	kind    protocol.Kind
	client  *client.Client
}

// publishOne publishes data.
func (p *publisher) publishOne(ctx context.Context, data []byte) error {
	return p.connected(ctx, func() error { return p.publish(ctx, data) })
}

// publishLines publishes each line of the input, up to as many as the configuration says. It ends at the end of the
// input, and without an error when ctx is done: for somebody who types, Ctrl-C is an end as good as Ctrl-D.
func (p *publisher) publishLines(ctx context.Context) error {
	return p.connected(ctx, func() error {
		reading, stop := context.WithCancel(ctx)
		defer stop()
		lines := readLines(reading, p.process.stdin)
		for n := 0; p.config.Count == 0 || n < p.config.Count; n++ {
			select {
			case l, ok := <-lines:
				if !ok {
					return nil
				}
				if l.err != nil {
					return fmt.Errorf("read the input: %w", l.err)
				}
				if err := p.publish(ctx, l.text); err != nil {
					return err
				}
			case <-p.client.Done():
				return p.client.Err()
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	})
}

// connected calls do with a connection to the hub.
func (p *publisher) connected(ctx context.Context, do func() error) error {
	c, err := dial(ctx, p.config.Reach.Hub, p.tokens)
	if err != nil {
		return err
	}
	defer c.Close()
	p.client = c
	return do()
}

// publish publishes data and waits for the hub to take it, also where ctx ends meanwhile: a message that is on its way
// is what there is to drain.
func (p *publisher) publish(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	ack, err := p.client.Publish(ctx, p.room, p.kind, data)
	if errors.Is(err, client.ErrBusy) {
		return &failure{err, "nobody was shown it: publish it again later", exitFailed}
	}
	if err != nil {
		return err
	}
	if !p.config.JSON {
		return nil
	}
	line, err := ackJSON(p.room, ack)
	if err != nil {
		return fmt.Errorf("encode the acknowledgement: %w", err)
	}
	_, err = p.process.stdout.Write(line)
	return err
}

// ackJSON returns what the hub answered, for programs.
func ackJSON(room string, ack client.Ack) ([]byte, error) {
	return jsonLine(struct {
		Room      string `json:"room"`
		ID        string `json:"id"`
		Key       string `json:"key"`
		Scope     string `json:"scope"`
		Position  string `json:"position,omitempty"`
		Duplicate bool   `json:"duplicate,omitempty"`
	}{room, ack.ID, ack.Key, ack.Scope, position(ack.Position), ack.Duplicate})
}

// position returns at as text, which is empty where it is none.
func position(at protocol.Position) string {
	if at.IsZero() {
		return ""
	}
	return at.String()
}

// line is a line of the input without its end, or why there are no more.
type line struct {
	text []byte
	err  error
}

// readLines returns the lines of r. The channel is sent by the goroutine that is started here and received by the
// caller; it holds nothing, so that no line is read that is not wanted yet; the goroutine closes it at the end of r.
//
// The goroutine ends then, or at the first line after ctx is done. Nobody waits for it, since nothing breaks off a read
// from a terminal: the end of the process ends it.
func readLines(ctx context.Context, r io.Reader) <-chan line {
	lines := make(chan line)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(r)
		s.Buffer(nil, maxLine)
		for s.Scan() {
			select {
			case lines <- line{text: append([]byte(nil), s.Bytes()...)}:
			case <-ctx.Done():
				return
			}
		}
		if err := s.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("a line has more than %s", config.Bytes(maxLine))
			}
			select {
			case lines <- line{err: err}:
			case <-ctx.Done():
			}
		}
	}()
	return lines
}
