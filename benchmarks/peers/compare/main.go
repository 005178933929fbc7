//go:build linux

// Command compare measures Realtime Hub beside other servers, on one machine and with one load generator, and writes the
// figures and charts of the documentation from what it measured.
//
//	compare run  [-run NAME,…] [-pairs 5] [-seconds 4]   measures, and prints medians and targets
//	compare docs [-results FILE]                         writes tables and charts
//	compare list                                         what can be run, and how many minutes that takes
//
// It starts everything itself, on loopback, and ends it. Run it at the root of the repository.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/generate"
)

func main() {
	// The children die with the thread that started them, which is to be no sooner than the process does.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"run"}
	}
	switch args[0] {
	case "run":
		return run(ctx, args[1:])
	case "docs":
		return docs(args[1:])
	case "list":
		list()
		return nil
	case "generate": // what the runner calls
		return load(ctx, args[1:])
	}
	return fmt.Errorf("there is no command %q: run, docs or list", args[0])
}

// load is the load generator: one argument says what to do, and what came of it is printed, both as JSON.
func load(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("generate takes one argument")
	}
	var s generate.Spec
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return fmt.Errorf("read what to generate: %w", err)
	}
	o, err := generate.Run(ctx, s)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}
