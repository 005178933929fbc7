package ws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
)

// role is what a process of its own does, so that it takes nothing of a hub that is measured. This program starts itself
// for it, with roleVariable in its environment.
type role struct {
	Address string // of the hub
	Request string // the handshake

	Send   []byte        // a frame that is sent over and over, as fast as it is taken; nothing is read
	Settle time.Duration // for so long before that is said

	Many       int  // so many messages go from one client to another, one after the other
	Handshakes bool // so many connections are opened and closed instead
}

const roleVariable = "REALTIME_HUB_TEST_ROLE"

// playRole plays the role for which this process was started, and does not return then.
func playRole() {
	text := os.Getenv(roleVariable)
	if text == "" {
		return
	}
	var r role
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		go func() { // ends the process with the one that started it
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
		err = r.play()
	}
	fmt.Fprintln(os.Stderr, "playing a role:", err)
	os.Exit(1)
}

func (r role) play() error {
	switch {
	case r.Handshakes:
		return r.enter()
	case r.Many > 0:
		return r.measure()
	}
	return r.flood()
}

// flood floods, and where the connection is closed on it, connects again.
func (r role) flood() error {
	many := []byte(strings.Repeat(string(r.Send), 500))
	for settled := time.After(r.Settle); ; {
		nc, _, err := r.open()
		if err != nil {
			return err
		}
		for err == nil {
			_, err = nc.Write(many)
			select {
			case <-settled:
				fmt.Println("it floods")
			default:
			}
		}
		_ = nc.Close()
	}
}

// measure prints the 99th percentile of how long messages take.
func (r role) measure() error {
	from, _, err := r.open()
	if err != nil {
		return err
	}
	to, read, err := r.open()
	if err != nil {
		return err
	}
	if err := to.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	message := []byte(sent(final|opText, "hi"))
	return r.timed(func() error {
		if _, err := from.Write(message); err != nil {
			return err
		}
		payload, err := readPayload(read)
		if err == nil && string(payload) != "hi" {
			err = fmt.Errorf("got %q", payload)
		}
		return err
	})
}

// enter prints the 99th percentile of how long it takes to connect.
func (r role) enter() error {
	return r.timed(func() error {
		nc, _, err := r.open()
		if err == nil {
			_ = nc.Close()
		}
		return err
	})
}

// timed does something many times, and prints the 99th percentile of how long it takes.
func (r role) timed(do func() error) error {
	took := make([]time.Duration, r.Many)
	for i := range took {
		began := time.Now()
		if err := do(); err != nil {
			return err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	fmt.Println(took[r.Many*99/100])
	select {} // until its process is ended
}

// readPayload reads a frame, and returns its payload.
func readPayload(r io.Reader) ([]byte, error) {
	header, err := gobwas.ReadHeader(r)
	if err != nil {
		return nil, err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(r, payload)
	return payload, err
}

// open connects, and makes the handshake if there is to be one.
func (r role) open() (net.Conn, *bufio.Reader, error) {
	nc, err := net.Dial("tcp", r.Address)
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.WriteString(nc, r.Request); err != nil {
		return nil, nil, err
	}
	read := bufio.NewReader(nc)
	resp, err := http.ReadResponse(read, nil)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, fmt.Errorf("handshake: %s", resp.Status)
	}
	return nc, read, nil
}

// start starts a process for the role, and returns the first line that it prints, and what ends it.
func (r role) start(t testing.TB) (said string, end func()) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := []string{"taskset", "-c", clientCore, self}
	if r.Many == 0 { // gives way to who is measured, as if it were on a machine of its own
		command = append([]string{"chrt", "--idle", "0"}, command...)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stderr = append(os.Environ(), roleVariable+"="+string(text)), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if said, err = lines.ReadString('\n'); err != nil {
		t.Errorf("%+v said %q: %v", r, said, err)
	}
	drained := make(chan struct{}) // closed when nothing more is to come
	go func() {                    // ends with the process
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return strings.TrimSpace(said), func() {
		_ = in.Close()
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
