package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// tokenFix is what to do where a hub does not take the token.
const tokenFix = "give a good one with --token-file FILE or in REALTIME_HUB_TOKEN; realtime-hub token makes one"

// tokenFile is how `pub` and `sub` get a token from a file, which is read anew each time that one is wanted: whatever
// renews tokens writes there. The file is named by a flag, or by the variable with the suffix _FILE of the key token.
type tokenFile struct{ flag string }

// newTokenFile gives cmd the flag.
func newTokenFile(cmd *cobra.Command) *tokenFile {
	f := new(tokenFile)
	cmd.Flags().StringVar(&f.flag, "token-file", "", "`file` that holds the token; it is read again when the last one has ended")
	return f
}

// tokens returns what gives the client its tokens; nil where there are none. The configuration is loaded.
func (f *tokenFile) tokens(s *settings, token string) (func(context.Context) (string, error), error) {
	path := f.flag
	for _, v := range s.loader.Values() {
		switch {
		case v.Key != "token":
		case v.Source.Origin == config.FromFlag && path != "":
			return nil, &usageError{"--token and --token-file are given together", "keep one of the two"}
		case v.Source.Name == tokenFileVariable && path == "":
			path = s.process.variable(tokenFileVariable)
		}
	}
	switch {
	case path == "" && token == "":
		return nil, nil
	case path == "":
		return func(context.Context) (string, error) { return token, nil }, nil
	}
	if _, err := readToken(path); err != nil { // by the flag: the variable was looked at before
		return nil, &usageError{"bad --token-file: " + err.Error(), "name a file that holds a token alone"}
	}
	return func(context.Context) (string, error) { return readToken(path) }, nil
}

func readToken(path string) (string, error) {
	token, err := config.ReadValue(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return token, nil
}

// tokenFileVariable names a file that holds a token.
const tokenFileVariable = "REALTIME_HUB_TOKEN_FILE"

// variable returns a variable of the process's environment.
func (p *process) variable(name string) (value string) {
	for _, v := range p.env {
		if n, text, _ := strings.Cut(v, "="); n == name {
			value = text // the last counts
		}
	}
	return value
}

// dial connects to the first of hubs that answers, with tokens where there are some.
func dial(ctx context.Context, hubs []string, tokens func(context.Context) (string, error), opts ...client.Option) (*client.Client, error) {
	opts = append(opts, client.WithHubs(hubs[1:]...))
	if tokens != nil {
		opts = append(opts, client.WithToken(tokens))
	}
	c, err := client.Dial(ctx, hubs[0], opts...)
	if err == nil {
		return c, nil
	}
	where := "the hub at " + hubs[0]
	if len(hubs) > 1 {
		where = "any of the hubs at " + strings.Join(hubs, ", ")
	}
	refused, isRefused := errors.AsType[*client.Refused](err)
	f := &failure{fmt.Errorf("%s refuses: %w", strings.Replace(where, "any", "one", 1), err), "", exitRefused}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("stopped before %s answered", where)
	case errors.Is(err, client.ErrUnreachable):
		return nil, &failure{fmt.Errorf("cannot reach %s: %s", where, causes(err)),
			"start a hub with: realtime-hub up, or name another one with --hub", exitUnreachable}
	case errors.Is(err, client.ErrToken) && !errors.Is(err, client.ErrRefused):
		return nil, &failure{err, tokenFix, exitFailed}
	case isRefused:
		f.err, f.fix = fmt.Errorf("%s refuses: %s", strings.Replace(where, "any", "one", 1), refused.Message), refused.Fix
	}
	if errors.Is(err, client.ErrToken) {
		f.fix = tokenFix
	}
	return nil, f
}

// causes returns why the hubs cannot be reached, in a few words.
func causes(err error) string {
	if !strings.Contains(err.Error(), "; connect to ") {
		return cause(err)
	}
	text := strings.ReplaceAll(err.Error(), client.ErrUnreachable.Error()+": ", "")
	return strings.ReplaceAll(text, "connect to ", "")
}
