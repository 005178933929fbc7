//go:build !short

package redis

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestPresenceBusy has people come to a hub without a pause: it goes on saying that it is alive, or a hub that starts
// would take it for dead.
func TestPresenceBusy(t *testing.T) {
	const life = 3 * time.Second
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	h := startPresent(t, life, server.URL())
	h[0].AwaitLoaded("lobby")
	end := make(chan struct{}) // closed when the test has seen enough; received by those who come
	var coming sync.WaitGroup
	defer coming.Wait()
	defer close(end)
	for n := range 4 {
		coming.Go(func() { // ends with the test, which waits for it
			for i := 0; ; i++ {
				select {
				case <-end:
					return
				default:
					h[0].p.Put("lobby", hub.Person{ID: fmt.Sprint("p", n, i%100), Name: fmt.Sprint(i), Since: 1}, 400)
				}
			}
		})
	}
	beats := make(map[string]bool)
	h[0].Await("five beats", func() bool {
		answer := server.Do("EVAL", `local now = redis.call('TIME')
			return redis.call('HVALS', KEYS[1])[1] .. string.format(' %d.%06d', now[1], now[2])`, "1", hubsKey)
		words := strings.Fields(answer)
		beat, errBeat := strconv.ParseFloat(words[0], 64)
		now, errNow := strconv.ParseFloat(words[len(words)-1], 64) // by Redis's clock, too
		if errBeat != nil || errNow != nil {
			t.Fatalf("Redis answered %q", answer)
		}
		if age := time.Duration((now - beat/1000) * float64(time.Second)); age > life {
			t.Fatalf("the last beat was %v ago", age)
		}
		beats[words[0]] = true
		return len(beats) > 5
	})
}
