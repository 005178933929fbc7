//go:build linux

package epoll

import (
	"io"
	"runtime"
	"testing"
)

func newYielder(t testing.TB) *Yielder {
	t.Helper()
	y, err := NewYielder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := y.Close(); err != nil {
			t.Error(err)
		}
	})
	return y
}

// TestYield has one goroutine be busy, on the only processor, while another waits for bytes from the network: it has them
// as soon as the busy one yields, and not when the runtime looks at the network by itself.
func TestYield(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	y := newYielder(t)
	fd, peer := pair(t)
	heard := make(chan struct{}) // sent for each byte
	ended := make(chan struct{}) // closed by the goroutine
	go func() {                  // ends with the connection
		defer close(ended)
		for b := make([]byte, 1); ; heard <- struct{}{} {
			if _, err := io.ReadFull(peer, b); err != nil {
				return
			}
		}
	}()
	defer func() { <-ended }()
	defer Close(fd)

	const many = 100
	soon := 0
	for range many {
		for range 10 {
			runtime.Gosched() // so that it has read, and waits
		}
		if _, err := Write(fd, []byte{1}); err != nil {
			t.Fatal(err)
		}
		for yields, waits := 1, true; waits; yields++ {
			if err := y.Yield(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-heard:
				if waits = false; yields <= 2 {
					soon++
				}
			default:
			}
		}
	}
	if soon < many/2 {
		t.Errorf("%d of %d bytes came at once", soon, many)
	}
}

// TestYieldComesBack yields where nobody else is there, on one processor and on more.
func TestYieldComesBack(t *testing.T) {
	for _, processors := range []int{1, 4} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			y := newYielder(t)
			for range 10_000 {
				if err := y.Yield(); err != nil {
					t.Fatal(err)
				}
			}
		}()
	}
}

// BenchmarkYield is what it costs.
func BenchmarkYield(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	y := newYielder(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := y.Yield(); err != nil {
			b.Fatal(err)
		}
	}
}
