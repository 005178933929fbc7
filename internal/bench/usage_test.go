package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
)

// TestListener finds the process behind a port, which is this one. Elsewhere than on Linux nobody knows.
func TestListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pid, ok := listener(l.Addr().String())
	if runtime.GOOS == "linux" && (!ok || pid != os.Getpid()) {
		t.Errorf("process %d, %v", pid, ok)
	}
	for _, addr := range []string{"192.0.2.1:80", "example.com:80", "127.0.0.1:1", "127.0.0.1", "127.0.0.1:x"} {
		if pid, ok := listener(addr); ok {
			t.Errorf("process %d listens on %s", pid, addr)
		}
	}
}

// TestMeter looks at this process, in both ways.
func TestMeter(t *testing.T) {
	metrics := "# HELP\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 2.5e+06\nother{a=\"b\"} 1\n"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = io.WriteString(w, metrics)
		} else {
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	m := &meter{metrics: []string{s.URL + "/metrics", s.URL + "/metrics"}}
	if u := m.now(t.Context()); u.CPUSeconds != 3 || u.RSS != 5_000_000 || !u.Known || u.From != "/metrics" {
		t.Errorf("%+v", u)
	}
	m.start(t.Context())
	metrics = "process_cpu_seconds_total 4\nprocess_resident_memory_bytes 7e6\n"
	m.end(t.Context())
	if m.hubs.CPUSeconds != 5 || m.hubs.RSS != 14_000_000 || m.hubs.Cores <= 0 {
		t.Errorf("%+v", m.hubs)
	}
	for _, url := range []string{s.URL + "/other", "http://127.0.0.1:1/metrics"} {
		m := &meter{metrics: []string{url}}
		if u := m.now(t.Context()); u.Known {
			t.Errorf("%s: %+v", url, u)
		}
	}
	metrics = "process_cpu_seconds_total 4\n"
	if u := m.now(t.Context()); u.Known {
		t.Errorf("without memory: %+v", u)
	}
	own := ownUsage()
	if runtime.GOOS == "linux" {
		if u, err := processUsage(os.Getpid()); err != nil || u.RSS == 0 || u.CPUSeconds < own.CPUSeconds-.1 {
			t.Errorf("%+v, error %v; by itself %+v", u, err, own)
		}
		if _, err := processUsage(1 << 30); err == nil {
			t.Error("there is a process of that number")
		}
	}
}

// TestNewMeter chooses how to measure.
func TestNewMeter(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here := "http://" + l.Addr().String()
	const away = "http://192.0.2.1/x"
	for _, tt := range []struct {
		options Options
		want    string
	}{
		{Options{Hubs: []string{here, here}}, fmt.Sprint([]int{os.Getpid()}, []string(nil))},
		{Options{Hubs: []string{here, away}}, fmt.Sprint([]int(nil), []string{here + "/metrics", away + "/metrics"})},
		{Options{Hubs: []string{here}, HubPIDs: []int{1, 2}}, fmt.Sprint([]int{1, 2}, []string(nil))},
	} {
		d, err := newDialer(&tt.options)
		if err != nil {
			t.Fatal(err)
		}
		m := newMeter(t.Context(), &tt.options, d)
		if runtime.GOOS != "linux" && len(tt.options.HubPIDs) == 0 {
			continue // there is no /proc
		}
		if got := fmt.Sprint(m.pids, m.metrics); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.options.Hubs, got, tt.want)
		}
	}
}
