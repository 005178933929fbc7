package client

import "github.com/soumya-codes/realtime-hub/protocol"

// This file has what the client knows of rooms in which it publishes, be it in them or not.

// maxLogs is how many log rooms a client remembers to be some. A forgotten one counts as a live room.
const maxLogs = 1024

// learn records that the room called name is a log room, or is not.
func (c *Client) learn(name string, log bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setLog(name, log)
}

// setLog is learn for a caller that holds mu.
func (c *Client) setLog(name string, log bool) {
	if !log {
		delete(c.logs, name)
		return
	}
	if len(c.logs) >= maxLogs && !c.logs[name] {
		for other := range c.logs {
			delete(c.logs, other)
			break
		}
	}
	c.logs[name] = true
}

// isLog reports whether the room called name is known to be a log room.
func (c *Client) isLog(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logs[name]
}

// cursor returns the client's cursor in the room called name; zero where it has none.
func (c *Client) cursor(name string) protocol.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil {
		return r.cursor
	}
	return protocol.Position{}
}
