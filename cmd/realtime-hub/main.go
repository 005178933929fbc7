// Command realtime-hub lets clients talk to each other in real time through hubs that act as one. It is all in one
// file: the HubServer, the HubClient web server, and what people at a terminal need beside them.
//
// The process's edges are here and nowhere else: main owns the signals and the exit code, run everything else, so that
// tests can call it. Each subcommand stands in a file of its name: it reads its configuration, by package config, and
// hands over to package app or package client. A process holds what all subcommands share.
//
// Goroutines: main's one for signals, which lives as long as the process; those of `pub` and `sub` are told where they
// start. What hubs and pages do is not here.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	// Sent by the runtime, which drops what finds no room, and received by stopOnSignal. It holds two, as that many
	// count; it is never closed.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go stopOnSignal(signals, cancel, os.Exit) // ends with the process
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// stopOnSignal calls cancel at the first signal, and exit at the first Ctrl-C after it: who presses it again does not
// want to wait for what is drained. A second SIGTERM changes nothing, as supervisors repeat it.
func stopOnSignal(signals <-chan os.Signal, cancel func(), exit func(int)) {
	<-signals
	cancel()
	for s := range signals {
		if s == os.Interrupt {
			exit(exitInterrupted)
		}
	}
}
