package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/internal/config"
)

// healthTimeout is how long an answer of /readyz may take.
const healthTimeout = 5 * time.Second

// newHealth returns the command `health`.
func newHealth(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "health [URL]",
		Short: "Ask a HubServer or HubClient whether it is ready",
		Long: "Ask the HubServer or HubClient at URL, by default http://127.0.0.1:8081, whether it is ready. " +
			"The exit code is 0 if it is, 1 if it says no, and 5 if it cannot be reached. A hub that is " +
			"isolated is ready: it serves its own clients.",
		Args: wantArgs(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			address := "http://127.0.0.1:8081"
			if len(args) > 0 {
				address = args[0]
			}
			if err := config.CheckHubURL(address); err != nil {
				return err
			}
			return p.health(cmd.Context(), address)
		},
	}
}

// health asks address and prints what it says.
func (p *process) health(ctx context.Context, address string) error {
	ready, status, err := askReady(ctx, address)
	if err != nil {
		return &failure{fmt.Errorf("cannot reach %s: %s", address, cause(err)),
			"is it running there? realtime-hub up starts hubs and pages", exitUnreachable}
	}
	switch {
	case status != http.StatusOK:
		what := ready.Status
		if what == "" {
			what = fmt.Sprintf("HTTP status %d", status)
		}
		return &failure{fmt.Errorf("%s is not ready: %s", address, what), "", exitFailed}
	case ready.Isolated:
		_, err = fmt.Fprintln(p.stdout, "ready, isolated from the other hubs")
	default:
		_, err = fmt.Fprintln(p.stdout, "ready")
	}
	return err
}

// readiness is the part of the answer of /readyz that is told.
type readiness struct {
	Status   string `json:"status"`
	Isolated bool   `json:"isolated"`
}

// askReady returns what /readyz of address answers. A HubClient answers without the members of readiness.
func askReady(ctx context.Context, address string) (readiness, int, error) {
	var ready readiness
	u, err := url.Parse(address)
	if err != nil {
		return ready, 0, err
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("readyz").String(), nil)
	if err != nil {
		return ready, 0, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return ready, 0, err
	}
	defer response.Body.Close()
	const most = 4 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return ready, 0, err
	}
	if json.Unmarshal(body, &ready) != nil {
		ready = readiness{} // no answer of ours, so the status alone counts
	}
	return ready, response.StatusCode, nil
}
