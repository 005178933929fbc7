package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/internal/bench"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// newBench returns the command `bench`.
func newBench(p *process) *cobra.Command {
	var c config.Bench
	var s *settings
	var file *tokenFile
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load a hub, and measure latency, loss and order",
		Long: "Open connections to a hub that runs, or with --embedded to one that is started for it, have some of " +
			"them publish, and say how long messages took, and which were lost, doubled or out of order. By " +
			"default messages go out by the clock, and latency counts from when they were to go out, so that a " +
			"hub that stalls is not spared. It says so where it is itself the bottleneck.",
		Example: "  realtime-hub bench --embedded\n" +
			"  realtime-hub bench --hub http://127.0.0.1:8081 --conns 5000 --rate 200 --assert 'p99<50ms,lost=0'\n" +
			"  realtime-hub bench --embedded --idle --conns 19000",
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.loadPlain(); err != nil {
				return err
			}
			b := &benchRun{process: p, config: c}
			if err := b.prepare(cmd.Context(), s, file); err != nil {
				return err
			}
			return b.run(cmd.Context())
		},
	}
	s = newSettings(p, cmd, &c)
	file = newTokenFile(cmd)
	return cmd
}

// benchRun is one run of `bench`. It belongs to one goroutine.
type benchRun struct {
	process    *process
	config     config.Bench
	options    bench.Options
	assertions []*bench.Assertion
}

// settling is how long hubs that are several have to hear of each other's rooms before the first message.
const settling = time.Second

// prepare makes the options and the assertions of the configuration.
func (b *benchRun) prepare(ctx context.Context, s *settings, file *tokenFile) error {
	c := &b.config
	if err := protocol.CheckRoom(fmt.Sprintf("%s-%d", c.Room, c.Rooms-1)); err != nil {
		return &usageError{fmt.Sprintf("bad --room %q: %v", c.Room, err), protocol.RoomRule}
	}
	for _, text := range c.Assert {
		a, err := bench.ParseAssertion(text)
		if err != nil {
			return &usageError{fmt.Sprintf("bad --assert %q: %v", text, err), ""}
		}
		b.assertions = append(b.assertions, a)
	}
	for _, v := range s.loader.Values() {
		if v.Key == "hub" && v.Source.Origin == config.FromFlag && c.Embedded {
			return &usageError{"--hub and --embedded are given together", "keep one of the two"}
		}
	}
	tokens, err := file.tokens(s, c.Token)
	if err != nil {
		return err
	}
	token := ""
	if tokens != nil {
		if token, err = tokens(ctx); err != nil {
			return err
		}
	}
	b.options = bench.Options{
		Dialect: bench.Plain{Token: token}, Hubs: c.Hub, Conns: c.Conns, Publishers: min(c.Publishers, c.Conns), Rooms: c.Rooms, Room: c.Room,
		Rate: float64(c.Rate), Window: c.Window, Size: int(c.Size), Warmup: c.Warmup, Duration: c.Duration, Drain: c.Drain,
		Idle: c.Idle,
	}
	if c.Protocol == "v1" {
		b.options.Dialect = bench.V1{Token: token}
	}
	if len(c.Hub) > 1 {
		b.options.Settle = settling
	}
	for _, text := range c.HubPID {
		pid, _ := strconv.Atoi(text) // Validate let it through
		b.options.HubPIDs = append(b.options.HubPIDs, pid)
	}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return fmt.Errorf("read the certificate authorities: %w", err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text) // Validate found one
		b.options.TLS = &tls.Config{RootCAs: roots}
	}
	return nil
}

// run makes the test, and prints what it found.
func (b *benchRun) run(ctx context.Context) error {
	if b.config.Embedded {
		hub, err := startEmbedded(ctx, b.process)
		if err != nil {
			return err
		}
		defer hub.stop()
		b.options.Hubs, b.options.HubPIDs = []string{hub.url}, []int{hub.pid}
	}
	show := newProgress(b.process.stderr)
	b.options.Progress = show.progress
	result, err := bench.Run(ctx, b.options)
	show.end()
	if err != nil {
		return b.explain(ctx, err)
	}
	holds := result.Assert(b.assertions)
	if b.config.JSON {
		err = b.printJSON(result)
	} else {
		_, err = fmt.Fprint(b.process.stdout, result.Text())
	}
	if err != nil || holds {
		return err
	}
	var failed []string
	for _, v := range result.Verdicts {
		if !v.OK {
			failed = append(failed, fmt.Sprintf("%s does not hold: it is %s", v.Assertion, v.Found))
		}
	}
	return &failure{errors.New(strings.Join(failed, "; ")), "", exitAssertion}
}

func (b *benchRun) printJSON(result *bench.Result) error {
	text, err := jsonLine(result)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	_, err = b.process.stdout.Write(text)
	return err
}

// explain returns the failure that err of a test stands for.
func (b *benchRun) explain(ctx context.Context, err error) error {
	f := &failure{err: err, code: exitFailed}
	switch {
	case ctx.Err() != nil:
		f.err = errors.New("stopped before there was anything to measure")
	case errors.Is(err, bench.ErrOptions):
		what := strings.TrimPrefix(err.Error(), bench.ErrOptions.Error()+": ")
		return &usageError{what, ""}
	case isCertificate(err):
		f.code = exitUnreachable
		f.fix = "name the authority that signs its certificate with --ca FILE"
	case errors.Is(err, bench.ErrUnreachable):
		f.code = exitUnreachable
		f.fix = "start a hub with: realtime-hub up, name another one with --hub, or have one started with --embedded"
	case errors.Is(err, bench.ErrRefused):
		f.code = exitRefused
		f.fix = tokenFix
	}
	return f
}

// isCertificate reports whether err is about the certificate of a hub.
func isCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
