package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/problem"
)

// newProxy returns the handler that passes the page's WebSocket on to the hub at u. The Origin rule is applied here,
// where the Host is the one that the browser saw; the hub then gets its own Host and no Origin.
func (h *Handler) newProxy(u hubURL) (http.Handler, error) {
	// The transport knows http and https, and upgrades either.
	target, err := url.Parse("http" + strings.TrimPrefix(u.Socket(), "ws"))
	if err != nil {
		return nil, fmt.Errorf("parse the hub's address: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			query := r.In.URL.RawQuery
			r.Out.URL = new(*target)
			r.Out.URL.RawQuery = query
			r.Out.Host = "" // the target's
			r.Out.Header.Del("Origin")
			r.Out.Header.Del("Cookie") // not the hub's: cookies are shared by all ports of a host
			r.SetXForwarded()
		},
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !errors.Is(err, context.Canceled) {
				h.log.Warn("the hub does not answer", "hub", target.Host, "error", err)
			}
			(&problem.Problem{
				Status: http.StatusBadGateway, Code: "hub_unreachable",
				Detail: "the hub behind this page does not answer",
				Fix:    "start the hub, or start the page with the --hub that it listens on",
			}).Write(w)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h.origins.CheckHost(r)
		if err == nil {
			err = h.origins.CheckOrigin(r)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		proxy.ServeHTTP(w, r)
	}), nil
}

// refuse answers with the problem that err is.
func refuse(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		p = &problem.Problem{
			Status: http.StatusForbidden, Code: "refused", Detail: "the request is refused", Fix: "open the chat at /",
		}
	}
	p.Write(w)
}
