package hub_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestRetryTakesNoAnswer has two requests publish under one key while the room's outbox is on its way: both are answered.
func TestRetryTakesNoAnswer(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		w[0].log.cut(true)
		if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, []byte("kept")); err != nil {
			t.Fatal(err)
		}
		w[0].log.hold(true)
		w[0].log.cut(false)
		errs := make(chan error, 2) // sent once by each of the two
		for range 2 {
			go func() {
				_, err := w[0].PublishHTTP(context.WithoutCancel(t.Context()), hub.Identity{}, "r", "k", protocol.Text, []byte("twice"))
				errs <- err
			}()
			synctest.Wait()
		}
		w[0].log.hold(false)
		time.Sleep(10 * time.Second) // virtual
		for range 2 {
			if err := <-errs; err != nil {
				var r *hub.Refusal
				errors.As(err, &r)
				t.Errorf("a request was answered %q, and its message is stored", r.Code)
			}
		}
	})
}
