package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// lightSession is a session of hub.v1 in one log room with as little around it as goes, for tests with many of them and
// for measuring. It is for one goroutine, but that one may write while another reads.
type lightSession struct {
	room   string
	creds  *protocol.Credentials
	cursor protocol.Position
	net.Conn
	r *bufio.Reader
}

// attach connects to h, says hello, joins the room at the cursor, and returns when the session is subscribed, with how
// many messages it missed before. What was replayed must follow the cursor without a hole.
func (s *lightSession) attach(addr string) (missed int, err error) {
	if err := s.connect(addr); err != nil {
		return 0, fmt.Errorf("connect to %s: %w", addr, err)
	}
	join := &protocol.Frame{Type: protocol.TypeJoin, Room: s.room}
	if !s.cursor.IsZero() {
		join.Position = s.cursor.String()
	}
	hello := &protocol.Frame{Type: protocol.TypeHello, Client: s.creds}
	if _, err := s.Write(append(clientFrame(hello.Encode()), clientFrame(join.Encode())...)); err != nil {
		return 0, err
	}
	for {
		f, err := s.next()
		if err != nil {
			return missed, err
		}
		switch f.Type {
		case protocol.TypeWelcome:
			if s.creds != nil && s.creds.ID != f.Client.ID {
				return missed, fmt.Errorf("%s was taken for a new client", s.creds.ID)
			}
			s.creds = f.Client
		case protocol.TypeMessage:
			missed++
		case protocol.TypeSubscribed:
			at, err := protocol.ParsePosition(f.Position)
			if err != nil || !s.cursor.IsZero() && at.Offset != s.cursor.Offset {
				return missed, fmt.Errorf("subscribed at %q, and is at %v", f.Position, s.cursor)
			}
			s.cursor = at
			return missed, nil
		}
	}
}

// connect opens the WebSocket.
func (s *lightSession) connect(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		conn.Close()
		return err
	}
	s.Conn, s.r = conn, bufio.NewReaderSize(conn, 2048)
	_, err = fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", addr, protocol.SubprotocolV1)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(s.r, nil)
	if err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("status %s", answer.Status)
	}
	return err
}

// next returns the next frame, and moves the cursor where it is the next of the stream. Positions must follow each other,
// and nothing may be lost.
func (s *lightSession) next() (*protocol.Frame, error) {
	text, err := s.read()
	for err == nil && isNews(string(text[:min(len(text), 20)])) {
		text, err = s.read()
	}
	if err != nil {
		return nil, err
	}
	f, err := protocol.DecodeFrame(text)
	if err != nil {
		return nil, err
	}
	switch f.Type {
	case protocol.TypeReset, protocol.TypeOrphans, protocol.TypeError:
		return nil, fmt.Errorf("got %s, and is at %v", text, s.cursor)
	case protocol.TypeMessage, protocol.TypeAck:
		at, err := protocol.ParsePosition(f.Position)
		if err == nil && f.Type == protocol.TypeAck && at.Offset <= s.cursor.Offset {
			return s.next() // the hub says it again
		}
		if err != nil || at.Offset != s.cursor.Offset+1 {
			return nil, fmt.Errorf("got %s, and is at %v", text, s.cursor)
		}
		s.cursor = at
	}
	return f, nil
}

// awaitOffset reads until the cursor is at an offset.
func (s *lightSession) awaitOffset(offset uint64) error {
	for s.cursor.Offset < offset {
		if _, err := s.next(); err != nil {
			return fmt.Errorf("wait for %d at %v: %w", offset, s.cursor, err)
		}
	}
	return nil
}

var errCloseFrame = errors.New("the hub closed the connection")

// read returns the payload of the next text message.
func (s *lightSession) read() ([]byte, error) {
	for {
		opcode, payload, err := readServerFrame(s.r)
		switch {
		case err != nil:
			return nil, err
		case opcode == opText:
			return payload, nil
		case opcode == opClose:
			return nil, fmt.Errorf("%w: %q", errCloseFrame, payload)
		case opcode == opPing:
			if _, err := s.Write(maskedFrame(final|opPong, payload)); err != nil {
				return nil, err
			}
		}
	}
}

// readServerFrame reads one frame of a hub's.
func readServerFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	head, err := r.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	size, n := 2, uint64(head[1])
	switch n {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if head, err = r.Peek(size); err != nil {
		return 0, nil, err
	}
	opcode = head[0] & 0xf
	switch size {
	case 4:
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		n = binary.BigEndian.Uint64(head[2:])
	}
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if _, err := r.Discard(size); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return opcode, payload, err
}

// clientFrame returns a text message as a client sends it.
func clientFrame(text []byte) []byte { return maskedFrame(final|opText, text) }

// maskedFrame returns a frame with a mask of zeros, shorter than 64 KiB.
func maskedFrame(first byte, payload []byte) []byte {
	head := []byte{first}
	if n := len(payload); n < 126 {
		head = append(head, masked|byte(n))
	} else {
		head = binary.BigEndian.AppendUint16(append(head, masked|126), uint16(n))
	}
	return bytes.Join([][]byte{head, make([]byte, 4), payload}, nil)
}
