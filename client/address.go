package client

import (
	"fmt"
	"net/url"
	"strings"
)

// endpoint returns the URL of the WebSocket that address stands for: http, https, ws or wss, with /ws where it has no
// path; and address as it may be shown, without a password. Its error says what to write instead.
func endpoint(address string) (ws, shown string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		shown = address[strings.LastIndex(address, "@")+1:] // what stands before may be a password
		if !strings.Contains(address, "://") {
			return "", "", fmt.Errorf("bad hub address %q: no scheme → write it like http://127.0.0.1:8081", shown)
		}
		return "", "", fmt.Errorf("bad hub address %q → write it like http://127.0.0.1:8081", shown)
	}
	shown = u.Redacted()
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", "", fmt.Errorf("bad hub address %q: the scheme is %q → use http, https, ws or wss", shown, u.Scheme)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = "/ws", ""
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), shown, nil
}
