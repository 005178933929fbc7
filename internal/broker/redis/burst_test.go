//go:build !short

package redis

import (
	"fmt"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestBurst has a hub accept thousands of publications at one moment, in many live rooms and many log rooms, and counts
// at Redis: Redis stands still meanwhile, so all but those that were sent already go out in one round.
func TestBurst(t *testing.T) {
	t.Parallel()
	const liveRooms, logRooms, each = 40, 20, 50
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, 0)
	log := startLogAt(t, server.URL())
	for room := range logRooms { // so that each log is there, and the script is known
		brokertest.AppendUntilStored(t, log, brokertest.NewMessage("warm", fmt.Sprintf("log%d", room), 0))
	}
	server.ResetCalls()
	server.Pause()
	var stored sync.WaitGroup
	for n := range each {
		for room := range liveRooms {
			a.Publish(brokertest.NewPublication("origin", fmt.Sprintf("sender%d", room), fmt.Sprintf("room%d", room), n))
		}
		for room := range logRooms {
			stored.Add(1)
			m := brokertest.NewMessage("sender", fmt.Sprintf("log%d", room), n)
			err := log.Append(m, func(_ hub.Appended, err error) {
				if err != nil {
					t.Error(err)
				}
				stored.Done()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	server.Resume()
	stored.Wait()
	for room := range liveRooms {
		b.AwaitID(fmt.Sprintf("sender%d/%d", room, each-1))
		brokertest.CheckSequence(t, b.Got(), fmt.Sprintf("sender%d", room), 0, each-1)
	}
	// A round before Redis stood still, and the one that waited, of each: for live rooms a command for each channel, for log
	// rooms one for each room.
	logged := server.CommandCalls("evalsha")
	if logged > 2*logRooms {
		t.Errorf("%d calls for %d messages of log rooms", logged, logRooms*each)
	}
	published := server.CommandCalls("publish") - logged // a script publishes once itself
	if published > 2*partitions {
		t.Errorf("%d publishes for %d messages of live rooms", published, liveRooms*each)
	}
	t.Logf("%d publishes for %d messages of live rooms, %d calls for %d of log rooms", published, liveRooms*each, logged, logRooms*each)
}
