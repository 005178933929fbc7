package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets the scripts run the real command: this test program acts as it when it is called by its name.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"realtime-hub": main})
}

// leakChecked runs the tests, and fails where goroutines are left.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}
