package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// newToken returns the command `token`. Its key is that of `hubserver`, and comes from wherever that takes it: a file that
// configures a hub will do. What the token says is said by flags alone: the variable REALTIME_HUB_NAME names a hub.
func newToken(p *process) *cobra.Command {
	var c config.HubServer
	var subject, name string
	var life time.Duration
	s := &settings{process: p, loader: config.NewLoader(&c)}
	cmd := &cobra.Command{
		Use:   "token --sub SUBJECT",
		Short: "Make a token for hubs that want one",
		Long: "Print a token that says who its bearer is, made with the token_key of the hubs: take it from their " +
			"configuration file, or from REALTIME_HUB_TOKEN_KEY or the file that REALTIME_HUB_TOKEN_KEY_FILE names. " +
			"Whoever has that key can be anybody; whoever has the token can be SUBJECT until it ends.",
		Example: "  REALTIME_HUB_TOKEN_KEY_FILE=key realtime-hub token --sub ada --for 1h --name Ada >token\n" +
			"  realtime-hub sub --token-file token lobby\n" +
			"  curl -H \"Authorization: Bearer $(cat token)\" -d hello localhost:8081/v1/rooms/lobby/messages",
		Args: wantArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if err := s.loadPlain(); err != nil {
				return err
			}
			switch {
			case subject == "":
				return &usageError{"no --sub: a token says who its bearer is", "for instance realtime-hub token --sub ada --for 1h"}
			case c.TokenKey == "":
				return &usageError{"no token_key", "give that of the hubs, by REALTIME_HUB_TOKEN_KEY_FILE=FILE or --config FILE"}
			}
			key, err := auth.NewKey(c.TokenKey)
			if err != nil {
				return err
			}
			token, err := key.Issue(subject, name, life)
			if err != nil {
				return &usageError{err.Error(), ""}
			}
			_, err = fmt.Fprintln(p.stdout, token)
			return err
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&subject, "sub", "", "the `subject`: who the bearer is, 1 to 128 visible ASCII characters")
	cmd.Flags().DurationVar(&life, "for", time.Hour, "how long the token is good")
	cmd.Flags().StringVar(&name, "name", "", "the `name` that others see (default: what the client says)")
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.loader.AddFlags(all)
	cmd.Flags().AddFlag(all.Lookup("token-key"))
	cmd.Flags().StringVar(&s.file, "config", "", "configuration `file` of the hubs (YAML)")
	markFile(cmd)
	return cmd
}
