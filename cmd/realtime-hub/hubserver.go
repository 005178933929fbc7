package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/internal/address"
	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// newHubServer returns the command `hubserver`.
func newHubServer(p *process) *cobra.Command {
	var c config.HubServer
	var s *settings
	cmd := &cobra.Command{
		Use:   "hubserver",
		Short: "Run one HubServer",
		Long: "Run one HubServer: it accepts WebSocket connections and passes each message on to all other " +
			"clients of its room, on this hub and, over the broker, on the others.",
		Example: "  realtime-hub hubserver --listen 127.0.0.1:8081 --broker redis://localhost:6379",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := s.loadServer(&c.Log)
			if err != nil {
				return err
			}
			e.Ready = func(a app.Addresses) {
				e.Log.Info("hub is ready", "address", a.Hubs[0], "broker", address.Redact(c.Broker),
					"version", e.Version, "startup_ms", time.Since(p.started).Milliseconds())
			}
			err = app.RunHubServer(cmd.Context(), c, e)
			if listen, ok := errors.AsType[*app.ListenError](err); ok {
				flag := "--listen"
				if listen.Addr == c.AdminListen {
					flag = "--admin-listen"
				}
				return cannotListen(listen, "realtime-hub hubserver "+flag+" "+anotherPort(listen.Addr))
			}
			return err
		},
	}
	s = newSettings(p, cmd, &c)
	s.addFile(cmd)
	return cmd
}
