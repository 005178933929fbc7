package client

import (
	"context"
	"log/slog"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// traces reports whether frames are logged.
func (c *Client) traces() bool { return c.options.log.Enabled(context.Background(), slog.LevelDebug) }

// trace logs a frame before anything is made of it. Secrets and tokens, which are in two types of frames, are left out.
func (l *link) trace(what, frameType string, text []byte) {
	if !l.client.traces() {
		return
	}
	if frameType == protocol.TypeHello || frameType == protocol.TypeWelcome {
		f, _ := protocol.DecodeFrame(text) // it was decoded before, or was made here
		if f.Client != nil {
			f.Client = &protocol.Credentials{ID: f.Client.ID}
		}
		f.Token = ""
		text = f.Encode()
	}
	l.client.options.log.Debug("frame "+what, "frame", string(text))
}
