//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// source is where this module is, seen from the root of the repository.
const source = "benchmarks/peers"

// programs are where what is compared was built.
type programs struct {
	root      string // of the repository
	dir       string // the programs
	node      string // the scripts for Node and their modules
	cert, key string // files
}

// scrub takes out of a message where this is on the machine.
func (p programs) scrub(text string) string { return strings.ReplaceAll(text, p.root+"/", "") }

// build builds the servers, each time, as the sources may have changed; what Node needs is installed where it is needed
// and missing.
func build(ctx context.Context, chosen []scenario.Scenario) (p programs, err error) {
	if p.root, err = os.Getwd(); err != nil {
		return p, err
	}
	if _, err := os.Stat(filepath.Join(p.root, source, "go.mod")); err != nil {
		return p, errors.New("this is to be run at the root of the repository: make bench-peers")
	}
	p.dir = filepath.Join(p.root, "bin", "peers")
	p.node = filepath.Join(p.dir, "node")
	p.cert, p.key = filepath.Join(p.dir, "cert.pem"), filepath.Join(p.dir, "key.pem")
	if err := os.MkdirAll(p.node, 0o755); err != nil {
		return p, err
	}
	needs := []string{"taskset"}
	var node bool
	for _, s := range chosen {
		if s.Redis {
			needs = append(needs, "redis-server")
		}
		for _, name := range s.Servers {
			if server, ok := scenario.ServerOf(name); ok && server.Node {
				node = true
			}
		}
	}
	if node {
		needs = append(needs, "node", "npm")
	}
	for _, need := range needs {
		if _, err := exec.LookPath(need); err != nil {
			return p, fmt.Errorf("%s is not installed, and this needs it", need)
		}
	}
	fmt.Println("building the servers")
	// The hub as it is released: see Makefile.
	if err := do(ctx, p.root, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", p.dir+"/realtime-hub", "./cmd/realtime-hub"); err != nil {
		return p, err
	}
	if err := do(ctx, filepath.Join(p.root, source), "go", "build", "-trimpath", "-buildvcs=false", "-o", p.dir+"/", "./servers/..."); err != nil {
		return p, err
	}
	if node {
		if err := p.install(ctx); err != nil {
			return p, err
		}
	}
	return p, p.certify()
}

// install copies the scripts for Node and installs what they need.
func (p programs) install(ctx context.Context) error {
	from := filepath.Join(p.root, source, "servers", "node")
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() { // modules that somebody installed there
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(p.node, e.Name()), b, 0o644); err != nil {
			return err
		}
	}
	return do(ctx, p.node, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
}

// do runs a command and says what it printed where it fails.
func do(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
	}
	return nil
}

// certify makes a certificate for 127.0.0.1 that signs itself, for a day.
func (p programs) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(p.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
}
