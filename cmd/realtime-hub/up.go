package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/internal/address"
	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// newUp returns the command `up`.
func newUp(p *process) *cobra.Command {
	var c config.Up
	var s *settings
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run hubs and their pages in this process",
		Long: "Run hubs and their pages in this process, HubClient N in front of HubServer N. A broker inside " +
			"the process joins the hubs, so that nothing else is needed. The addresses to open are printed.",
		Example: "  realtime-hub up\n  realtime-hub up --hubs 3 --broker redis://localhost:6379",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := s.loadServer(&c.Log)
			if err != nil {
				return err
			}
			e.Ready = func(a app.Addresses) {
				fmt.Fprint(p.stdout, banner(c, a))
				e.Log.Info("hubs and pages are ready", "hubs", a.Hubs, "pages", a.Pages,
					"broker", address.Redact(c.Broker), "version", e.Version,
					"startup_ms", time.Since(p.started).Milliseconds())
			}
			err = app.RunUp(cmd.Context(), c, e)
			if listen, ok := errors.AsType[*app.ListenError](err); ok {
				return cannotListen(listen, "realtime-hub up "+otherPorts(c, listen.Addr))
			}
			return err
		},
	}
	s = newSettings(p, cmd, &c)
	s.addFile(cmd)
	return cmd
}

// banner returns what `up` prints once everything listens: what runs, and what to do now.
func banner(c config.Up, a app.Addresses) string {
	var b strings.Builder
	hubs, open := fmt.Sprintf("%d hubs", c.Hubs), "Open two chat pages, press Connect, say hello."
	switch c.Hubs {
	case 1:
		hubs, open = "1 hub", "Open the chat page in two tabs, press Connect, say hello."
	case 2:
		open = "Open both chat pages, press Connect, say hello."
	}
	fmt.Fprintf(&b, "realtime-hub %s · %s · %s\n", programVersion(), hubs, brokerName(c.Broker))
	const perLine = 2
	for i, page := range a.Pages {
		switch {
		case i == 0:
			b.WriteString("  Chat       ")
		case i%perLine == 0:
			b.WriteString("\n             ")
		default:
			b.WriteString("    ")
		}
		fmt.Fprintf(&b, "http://%s  (hub%d)", localName(page), i+1)
	}
	fmt.Fprintf(&b, "\n  Publish    curl -d hello %s/v1/rooms/lobby/messages\n", localName(a.Hubs[0]))
	fmt.Fprintf(&b, "  %s Ctrl-C stops.\n", open)
	return b.String()
}

// brokerName returns what people call the broker at url.
func brokerName(url string) string {
	if config.IsMemoryBroker(url) {
		return "in-memory broker (no Redis needed)"
	}
	return "broker " + address.Redact(url)
}

// localName returns addr, host:port, as one opens it on this machine: loopback addresses, and those that stand for all
// addresses, are localhost.
func localName(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// portStep is how far from a port that is in use another one is suggested.
const portStep = 10

// anotherPort returns addr, host:port, with another port.
func anotherPort(addr string) string {
	host, text, err := net.SplitHostPort(addr)
	port, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort(host, strconv.Itoa(shift(port)))
}

// shift returns a port near port that an ordinary user may listen on.
func shift(port int) int {
	const first, last = 1024, 65535
	switch {
	case port < first:
		return port + 8000 // as in 8080 for 80
	case port+portStep > last:
		return port - portStep
	}
	return port + portStep
}

// otherPorts returns the flag that moves the run of ports in which addr stands.
func otherPorts(c config.Up, addr string) string {
	_, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.Atoi(text)
	if c.WebPort <= port && port < c.WebPort+c.Hubs {
		return fmt.Sprintf("--web-port %d", shift(c.WebPort))
	}
	return fmt.Sprintf("--hub-port %d", shift(c.HubPort))
}
