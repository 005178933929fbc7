package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// newHubClient returns the command `hubclient`.
func newHubClient(p *process) *cobra.Command {
	var c config.HubClient
	var s *settings
	cmd := &cobra.Command{
		Use:   "hubclient",
		Short: "Run one HubClient, the web server with the chat page of a HubServer",
		Long: "Run one HubClient: a web server with the chat page of one HubServer. The browser connects to the " +
			"HubServer itself, so --hub is its address as the browser sees it.",
		Example: "  realtime-hub hubclient --listen 127.0.0.1:9081 --hub http://127.0.0.1:8081",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := s.loadServer(&c.Log)
			if err != nil {
				return err
			}
			e.Ready = func(a app.Addresses) {
				e.Log.Info("page is ready", "address", a.Pages[0], "hubs", c.Hub, "version", e.Version,
					"startup_ms", time.Since(p.started).Milliseconds())
			}
			err = app.RunHubClient(cmd.Context(), c, e)
			if listen, ok := errors.AsType[*app.ListenError](err); ok {
				return cannotListen(listen, "realtime-hub hubclient --listen "+anotherPort(listen.Addr))
			}
			return err
		},
	}
	s = newSettings(p, cmd, &c)
	s.addFile(cmd)
	return cmd
}
