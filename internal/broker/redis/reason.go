package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// reason is why there is no link, in words for people. It wraps hub.ErrRefused where Redis refused the credentials.
type reason struct {
	text string
	err  error
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.err }

// explain returns err as a reason that names Redis's address, and what to do where that is known.
func (s *server) explain(err error) error {
	addr := s.endpoint.addr
	if answer, ok := errors.AsType[*rueidis.RedisError](err); ok {
		fix, refused := s.refusal(answer.Error())
		if !refused {
			return &reason{text: fmt.Sprintf("Redis at %s answers: %v", addr, answer), err: err}
		}
		return &reason{
			text: fmt.Sprintf("Redis at %s refuses: %v → %s", addr, answer, fix),
			err:  fmt.Errorf("%w: %w", hub.ErrRefused, err),
		}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &reason{
			text: fmt.Sprintf("Redis at %s is not trusted: %v → give the authority that signed its certificate "+
				"(--broker-ca), and the host name that it was signed for", addr, certificateProblem(err)),
			err: err,
		}
	}
	text := fmt.Sprintf("Redis at %s does not answer: %s", addr, s.cause(err))
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		text += " → inside Compose write redis://redis:6379, here redis://localhost:6379"
	}
	return &reason{text: text, err: err}
}

// refusal reports whether an answer means that these credentials will not do, and what to do then.
func (s *server) refusal(answer string) (fix string, refused bool) {
	code, _, _ := strings.Cut(answer, " ")
	switch {
	case code == "WRONGPASS":
		return "check user and password in the broker's URL", true
	case code == "NOAUTH":
		return "put user and password into the broker's URL: redis://user:password@host:port", true
	case code == "NOPERM":
		return "give the user its rights: " + s.rights, true
	case strings.Contains(answer, "DB index"), strings.Contains(answer, "SELECT is not allowed"):
		return "check the database in the broker's URL, the number after the last /", true
	}
	return "", false
}

// certificateProblem returns what crypto/x509 says, without what TLS puts around it.
func certificateProblem(err error) error {
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return e
	}
	return err
}

// errNoHandshake is why there is no link where the time was over in the middle of a TLS handshake. A Redis without TLS
// takes the beginning of one for that of a command, and waits for the rest.
var errNoHandshake = errors.New("the TLS handshake is not answered")

// cause returns what is wrong with the connection in few words.
func (s *server) cause(err error) string {
	if errors.Is(err, errNoHandshake) {
		return fmt.Sprintf("no answer to the TLS handshake within %v (is it redis:// instead of rediss:// ?)",
			s.timeout)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", s.timeout)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it closed the connection"
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("lookup %s: %s", e.Name, e.Err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS there (is it redis:// instead of rediss:// ?)"
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
