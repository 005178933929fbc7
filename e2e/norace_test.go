//go:build !race

package e2e

// raceDetector says that the tests are built without the race detector.
const raceDetector = false
