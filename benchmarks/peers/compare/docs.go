//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/report"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// docs writes tables and charts from results.
func docs(args []string) error {
	flags := flag.NewFlagSet("docs", flag.ExitOnError)
	file := flags.String("results", "", "file of results; by default the last in "+resultsDir)
	page := flags.String("page", "docs/performance.md", "page whose tables are written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" {
		found, err := filepath.Glob(filepath.Join(resultsDir, "*.jsonl"))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errors.New("there are no results in " + resultsDir + ": make bench-peers")
		}
		*file = slices.Max(found)
	}
	f, err := results.ReadFile(*file)
	if err != nil {
		return err
	}
	if err := report.Docs(f, *page); err != nil {
		return err
	}
	fmt.Printf("%s has what %s says\n", *page, *file)
	return nil
}
