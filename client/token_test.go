package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// issuer hands out the tokens t1, t2 and so on.
type issuer struct {
	count atomic.Int64
	err   atomic.Pointer[error] // instead of a token
}

func (i *issuer) token(context.Context) (string, error) {
	if err := i.err.Load(); err != nil {
		return "", *err
	}
	return fmt.Sprint("t", i.count.Add(1)), nil
}

func expired(tokens ...string) func(string) *Refused {
	return func(got string) *Refused {
		if slices.Contains(tokens, got) {
			return &Refused{Code: protocol.ErrTokenExpired, Message: "it ended", Fix: "fetch another"}
		}
		return nil
	}
}

// TestTokenRenewed has tokens that last an hour: each is replaced ahead of time over the connection there is.
func TestTokenRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i := newScript(t), new(issuer)
		s.setToken(nil, time.Hour)
		c, p := s.connect(WithName("Ada"), WithToken(i.token))
		if p.hello.Token != "t1" {
			t.Errorf("hello with the token %q", p.hello.Token)
		}
		for n := 2; n < 5; n++ {
			since := time.Now()
			time.Sleep(54 * time.Minute)
			f := p.expect(protocol.TypeHello)
			if f.Token != fmt.Sprint("t", n) || f.Name != "Ada" {
				t.Errorf("renewed with %+v", f)
			}
			if d := time.Since(since); d > time.Hour {
				t.Errorf("after %v", d)
			}
		}
		failure := errors.New("the issuer is away")
		i.err.Store(&failure)
		time.Sleep(50 * time.Minute)
		i.err.Store(nil)
		time.Sleep(tokenRetry)
		if f := p.expect(protocol.TypeHello); f.Token != "t5" || !c.Connected() {
			t.Errorf("renewed with %+v after the issuer was away", f)
		}
	})
}

// TestTokenReused has a client lose its connection while its token is good, and when it has ended.
func TestTokenReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i := newScript(t), new(issuer)
		s.setToken(nil, time.Hour)
		_, p := s.connect(WithToken(i.token))
		p.conn.CloseNow()
		if p = s.next(); p.hello.Token != "t1" {
			t.Errorf("came back with the token %q", p.hello.Token)
		}
		s.setAway(true)
		p.conn.CloseNow()
		time.Sleep(time.Hour)
		s.setAway(false)
		if p = s.next(); p.hello.Token != "t2" {
			t.Errorf("came back with the token %q after the first had ended", p.hello.Token)
		}
		failure := errors.New("the issuer is away")
		i.err.Store(&failure)
		p.conn.Close(websocket.StatusCode(protocol.CodeExpired), "the token has ended")
		time.Sleep(time.Minute)
		i.err.Store(nil)
		if p = s.next(); p.hello.Token != "t3" {
			t.Errorf("came back with the token %q after a 4005", p.hello.Token)
		}
	})
}

// TestTokenExpired has a hub that finds tokens to have ended: the client fetches another, once.
func TestTokenExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i := newScript(t), new(issuer)
		c, p := s.connect(WithToken(i.token))
		s.setToken(expired("t1"), 0)
		p.conn.CloseNow()
		if p = s.next(); p.hello.Token != "t2" {
			t.Errorf("came back with the token %q", p.hello.Token)
		}
		s.setToken(expired("t2", "t3", "t4"), 0)
		p.conn.Close(websocket.StatusCode(protocol.CodeExpired), "the token has ended")
		<-c.Done()
		if err := c.Err(); !errors.Is(err, ErrToken) || !errors.Is(err, ErrRefused) || i.count.Load() != 3 {
			t.Errorf("ended with %v after %d tokens", err, i.count.Load())
		}
	})
}

func TestTokenRefused(t *testing.T) {
	bad := func(string) *Refused { return &Refused{Code: protocol.ErrBadToken, Message: "it is none"} }
	synctest.Test(t, func(t *testing.T) {
		s, i := newScript(t), new(issuer)
		failure := errors.New("no such file")
		i.err.Store(&failure)
		if _, err := s.tryConnect(WithToken(i.token), WithHubs("http://b.test")); !errors.Is(err, ErrToken) || !errors.Is(err, failure) ||
			errors.Is(err, ErrRefused) || len(s.triedAt()) > 0 {
			t.Errorf("without a token: %v", err)
		}
		i.err.Store(nil)
		s.setToken(bad, 0)
		for _, opts := range [][]Option{nil, {WithToken(i.token)}} {
			_, err := s.tryConnect(opts...)
			if refused, ok := errors.AsType[*Refused](err); !ok || refused.Message != "it is none" || !errors.Is(err, ErrToken) {
				t.Errorf("a token that is refused: %v", err)
			}
		}
		s.setToken(nil, time.Hour)
		c, p := s.connect(WithToken(i.token))
		s.setToken(bad, 0)
		time.Sleep(54 * time.Minute)
		p.expect(protocol.TypeHello) // the next token, which the script answers with the error
		p.conn.Close(websocket.StatusCode(protocol.CodeBadToken), "bad_token")
		<-c.Done()
		if refused, ok := errors.AsType[*Refused](c.Err()); !ok || refused.Message != "it is none" {
			t.Errorf("ended with %v", c.Err())
		}
	})
}

// TestCloseWhileFetching closes a client whose token is being fetched.
func TestCloseWhileFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		s.setToken(nil, time.Hour)
		var calls atomic.Int64
		c, _ := s.connect(WithToken(func(ctx context.Context) (string, error) {
			if calls.Add(1) == 1 {
				return "t1", nil
			}
			<-ctx.Done()
			return "", ctx.Err()
		}))
		time.Sleep(55 * time.Minute)
		if n := calls.Load(); n < 2 { // each ends after 10 s
			t.Errorf("%d calls", n)
		}
		start := time.Now()
		c.Close()
		if d := time.Since(start); d > closeTimeout {
			t.Errorf("closed after %v", d)
		}
	})
}
