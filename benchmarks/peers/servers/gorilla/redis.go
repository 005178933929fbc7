package main

import (
	"context"
	"crypto/rand"
	"log"

	"github.com/redis/rueidis"
)

const channel = "chat"

// waiting is how many messages wait for Redis at most; readers then wait.
const waiting = 1024

// connectPipeline makes this process one of several that share a Redis. Each message costs one PUBLISH. Those that wait are
// sent together, and readers read on meanwhile.
func (h *hub) connectPipeline(address string) error {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true})
	if err != nil {
		return err
	}
	name := rand.Text()
	ctx := context.Background()
	out := make(chan message, waiting) // sent by readers, received by the publisher; never closed
	h.elsewhere = func(m message) { out <- m }
	go func() { // ends with the process
		for m := range out {
			var commands rueidis.Commands
			for more := true; more; {
				commands = append(commands, c.B().Publish().Channel(channel).Message(name+string(m.text)).Build())
				select {
				case m = <-out:
				default:
					more = false
				}
			}
			for _, answer := range c.DoMulti(ctx, commands...) {
				if err := answer.Error(); err != nil {
					log.Printf("publish: %v", err)
				}
			}
		}
	}()
	ready := make(chan error, 1) // the subscriber sends once, connect receives
	go func() {                  // ends with the process
		d, stop := c.Dedicate()
		defer stop()
		ended := d.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
			if from, text := m.Message[:len(name)], m.Message[len(name):]; from != name {
				h.messages <- message{text: []byte(text)}
			}
		}})
		ready <- d.Do(ctx, d.B().Subscribe().Channel(channel).Build()).Error()
		log.Fatalf("the subscription ended: %v", <-ended)
	}()
	return <-ready
}
