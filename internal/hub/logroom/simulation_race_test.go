//go:build race

package logroom_test

// A run is one goroutine, so that the race detector finds nothing in it that fewer seeds would not show.
const defaultSeeds = "1-200"
