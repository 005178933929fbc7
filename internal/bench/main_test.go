package bench

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what should take milliseconds, before it fails.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
