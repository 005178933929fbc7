package main

import (
	"context"
	"crypto/rand"
	"log"

	"github.com/redis/go-redis/v9"
)

// connectUsual makes this process one of several that share a Redis, in the way of most examples: who reads a message
// publishes it, and waits for Redis before it reads the next. So a client has one PUBLISH under way.
func (h *hub) connectUsual(address string) error {
	rdb := redis.NewClient(&redis.Options{Addr: address})
	name, ctx := rand.Text(), context.Background()
	h.elsewhere = func(m message) {
		if err := rdb.Publish(ctx, channel, name+string(m.text)).Err(); err != nil {
			log.Printf("publish: %v", err)
		}
	}
	sub := rdb.Subscribe(ctx, channel)
	if _, err := sub.Receive(ctx); err != nil { // it is confirmed
		return err
	}
	go func() { // ends with the process
		for m := range sub.Channel() {
			if from, text := m.Payload[:len(name)], m.Payload[len(name):]; from != name {
				h.messages <- message{text: []byte(text)}
			}
		}
		log.Fatal("the subscription ended")
	}()
	return nil
}
