package main

import (
	"context"
	"crypto/rand"
	"log"

	"github.com/redis/rueidis"
)

const channel = "chat"

// connect makes this process one of several that share a Redis. Each message costs one PUBLISH, which the reader of its
// client waits for.
func (h *hub) connect(address string) error {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true})
	if err != nil {
		return err
	}
	name := rand.Text()
	ctx := context.Background()
	h.elsewhere = func(m message) {
		if err := c.Do(ctx, c.B().Publish().Channel(channel).Message(name+string(m.text)).Build()).Error(); err != nil {
			log.Printf("publish: %v", err)
		}
	}
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
