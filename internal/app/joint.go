package app

import (
	"log/slog"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/broker/redis"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// joint is what joins one hub to the others: a broker for live rooms, a log for log rooms, and presence for who is where.
type joint struct {
	broker   hub.Broker
	log      hub.Log
	presence hub.Presence // nil of a hub that is alone
}

// joints returns what makes the joint of each of so many hubs of this process, for a broker whose URL was validated.
func joints(hubs int, url string, r config.Redis, h config.Hub, log *slog.Logger) func(hubName string) (joint, error) {
	retention := func(room string) hub.Retention {
		c := h.Room(room)
		return hub.Retention{History: c.History, TTL: c.TTL}
	}
	if config.IsMemoryBroker(url) {
		bus := memory.NewBus(memory.Options{})
		logs := memory.NewLogs(memory.LogOptions{
			QueueBytes: int(r.BrokerQueue), Retention: retention, KeyTTL: h.KeyTTL,
		})
		if hubs == 1 { // nobody is anywhere else
			return func(string) (joint, error) { return joint{broker: bus.Broker(), log: logs.Log()}, nil }
		}
		everybody := memory.NewEverybody()
		return func(string) (joint, error) { return joint{bus.Broker(), logs.Log(), everybody.Presence()}, nil }
	}
	return func(hubName string) (joint, error) {
		o := redis.Options{
			URL: url, CAFile: r.BrokerCA,
			Timeout: r.BrokerTimeout, Ping: r.BrokerPing, QueueBytes: int(r.BrokerQueue),
			Name: hubName, Log: log.With("hub", hubName),
		}
		broker, err := redis.New(o)
		if err != nil {
			return joint{}, err
		}
		rooms, err := redis.NewLog(redis.LogOptions{
			Options: o, Durability: redis.Durability(r.Durability), Retention: retention, KeyTTL: h.KeyTTL,
			Silence: r.BrokerSilence,
		})
		if err != nil {
			return joint{}, err
		}
		people, err := redis.NewPresence(redis.PresenceOptions{Options: o, Life: r.PresenceTimeout})
		return joint{broker, rooms, people}, err
	}
}
