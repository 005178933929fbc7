//go:build !linux

package bench

// newEngine returns the engine for l.
func newEngine(l *load) (engine, error) { return newCrowd(l), nil }

// socket is what the crowd keeps of a connection.
type socket struct{ crowdSocket }
