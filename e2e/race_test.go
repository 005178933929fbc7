//go:build race

package e2e

// raceDetector says that the tests are built with the race detector: the processes that they start are then, too.
const raceDetector = true
