//go:build !linux

package ws

import "errors"

// hasEpoll says whether this system has what the epoll engine needs.
const hasEpoll = false

func newLoop(*Server, *shard) (engine, error) { return nil, errors.ErrUnsupported }

// perConn is what the engine keeps of each connection.
type perConn struct{ *goroutines }
