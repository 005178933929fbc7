package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// tokenFix is what to do where a hub does not take the token.
const tokenFix = "give a good one with --token-file FILE or in REALTIME_HUB_TOKEN; realtime-hub token makes one"

// dial connects to the first of the hubs that answers, with the token that there may be.
func dial(ctx context.Context, to config.Reach, opts ...client.Option) (*client.Client, error) {
	opts = append(opts, client.WithHubs(to.Hub[1:]...))
	if to.Token != "" || to.TokenFile != "" {
		opts = append(opts, client.WithToken(func(context.Context) (string, error) { return tokenOf(to) }))
	}
	c, err := client.Dial(ctx, to.Hub[0], opts...)
	if err == nil {
		return c, nil
	}
	where := "the hub at " + to.Hub[0]
	if len(to.Hub) > 1 {
		where = "any of the hubs at " + strings.Join(to.Hub, ", ")
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

// tokenOf returns the token. A file is read anew each time: what renews tokens writes there.
func tokenOf(from config.Reach) (string, error) {
	if from.TokenFile == "" {
		return from.Token, nil
	}
	token, err := config.ReadToken(from.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", from.TokenFile, err)
	}
	return token, nil
}
