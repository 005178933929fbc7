package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// meter measures what hubs and generator take of the machine between start and end. It belongs to the goroutine of Run.
type meter struct {
	pids    []int    // of the hubs, where they are known
	metrics []string // otherwise the URLs of their metrics

	began         time.Time
	hubsAt, ownAt Usage // at start
	hubs, own     Usage // the difference
}

// newMeter finds out how the hubs can be measured: by /proc where they are on this machine, else by their metrics.
func newMeter(ctx context.Context, o *Options, d *dialer) *meter {
	m := &meter{pids: slices.Clone(o.HubPIDs)}
	if len(m.pids) == 0 {
		for i := range d.targets {
			pid, ok := listener(d.targets[i].addr)
			if !ok {
				m.pids = nil
				break
			}
			if !slices.Contains(m.pids, pid) {
				m.pids = append(m.pids, pid)
			}
		}
	}
	if len(m.pids) == 0 {
		for _, url := range o.Hubs {
			if hub, err := address.ParseHub(url); err == nil {
				scheme := "http"
				if hub.Secure {
					scheme = "https"
				}
				m.metrics = append(m.metrics, scheme+"://"+hub.Host.String()+hub.Path+"/metrics")
			}
		}
	}
	return m
}

// loopbackPort returns the port of addr, host:port, where it is on this machine.
func loopbackPort(addr string) (uint16, bool) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, false
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return 0, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return uint16(n), err == nil
}

func (m *meter) start(ctx context.Context) {
	m.began, m.hubsAt, m.ownAt = time.Now(), m.now(ctx), ownUsage()
}

func (m *meter) end(ctx context.Context) {
	seconds := time.Since(m.began).Seconds()
	m.hubs, m.own = difference(m.hubsAt, m.now(ctx), seconds), difference(m.ownAt, ownUsage(), seconds)
}

// difference returns what was taken from one look to the next.
func difference(from, to Usage, seconds float64) Usage {
	if !from.Known || !to.Known {
		return Usage{}
	}
	to.CPUSeconds -= from.CPUSeconds
	to.Starved = max(to.Starved-from.Starved, 0) // that of threads that have ended is not told any more
	to.Seconds, to.Cores = seconds, to.CPUSeconds/seconds
	return to
}

// now returns what the hubs have taken since they began.
func (m *meter) now(ctx context.Context) Usage {
	sum := Usage{Known: true, From: "/proc", PIDs: m.pids}
	for _, pid := range m.pids {
		u, err := processUsage(pid)
		if err != nil {
			return Usage{}
		}
		sum.CPUSeconds += u.CPUSeconds
		sum.Starved += u.Starved
		sum.RSS += u.RSS
	}
	if len(m.pids) > 0 {
		return sum
	}
	sum.From = "/metrics"
	for _, url := range m.metrics {
		u, err := scrape(ctx, url)
		if err != nil {
			return Usage{}
		}
		sum.CPUSeconds += u.CPUSeconds
		sum.RSS += u.RSS
	}
	return sum
}

// scrapeTimeout is how long a hub's metrics may take.
const scrapeTimeout = 2 * time.Second

// scrape asks a hub for its metrics, in the text format of Prometheus.
func scrape(ctx context.Context, url string) (u Usage, err error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return u, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return u, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return u, fmt.Errorf("metrics: %s", response.Status)
	}
	found := 0
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		switch name {
		case "process_cpu_seconds_total":
			u.CPUSeconds = value
			found++
		case "process_resident_memory_bytes":
			u.RSS = uint64(value)
			found++
		}
	}
	if u.Known = found == 2; !u.Known {
		return u, fmt.Errorf("metrics of %s do not tell of its process", url)
	}
	return u, nil
}
