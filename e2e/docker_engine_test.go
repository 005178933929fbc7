//go:build docker && linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dockerPatience is how long a test waits for what should take seconds, before it fails.
const dockerPatience = 60 * time.Second

// dockerEngine sees to it that an engine answers. Where none does, it starts one with a folder of its own, and the
// test's end stops that and removes what it kept. DOCKER_HOST then names it, for every command that follows.
func dockerEngine(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this test kills a container's process and may start an engine, so it needs root → sudo make test-docker")
	}
	if _, err := exec.LookPath("docker"); err != nil {
		t.Fatal("docker is not installed → apt-get install docker.io docker-compose iptables iproute2")
	}
	if exec.CommandContext(t.Context(), "docker", "version").Run() == nil {
		return
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		t.Fatal("no Docker engine answers, and there is none to start → apt-get install docker.io iptables iproute2")
	}
	dockerRestoreNetwork(t)
	var err error
	// Where the kernel has no packet filter that the engine can use, it does without: ports are published by a proxy.
	for _, flags := range [][]string{nil, {"--iptables=false", "--ip6tables=false"}} {
		if err = dockerStart(t, flags); err == nil {
			break
		}
		t.Logf("no engine with the flags %v: %v", flags, err)
	}
	if err != nil {
		t.Fatalf("start Docker engine: %v", err)
	}
}

// dockerRestoreNetwork has the test's end take back what an engine changes in the machine's network and leaves so.
func dockerRestoreNetwork(t *testing.T) {
	if _, err := net.InterfaceByName("docker0"); err != nil {
		t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", "docker0").Run() }) // it may not exist
	}
	rules, err := exec.Command("iptables-save").Output()
	if err != nil {
		return // the engine will not be able to change them either
	}
	t.Cleanup(func() {
		restore := exec.Command("iptables-restore")
		restore.Stdin = bytes.NewReader(rules)
		if out, err := restore.CombinedOutput(); err != nil {
			t.Errorf("restore packet filter: %v\n%s", err, out)
		}
	})
}

// dockerStart starts an engine and waits until it answers.
func dockerStart(t *testing.T, flags []string) error {
	dir, err := os.MkdirTemp("", "hub-docker-") // not t.TempDir: the path of a socket is at most 108 bytes long
	if err != nil {
		return fmt.Errorf("make folder for engine: %w", err)
	}
	host := "unix://" + filepath.Join(dir, "docker.sock")
	logs, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return fmt.Errorf("make log of engine: %w", err)
	}
	engine := exec.Command("dockerd", append([]string{
		"--host", host, "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--config-file", filepath.Join(dir, "none.json"),
	}, flags...)...)
	engine.Stdout, engine.Stderr = logs, logs
	// An interrupt at the terminal is for the test alone. Where the test ends without its clean-up, the engine stops, and
	// its containers with it.
	engine.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := os.WriteFile(filepath.Join(dir, "none.json"), []byte("{}"), 0o600); err != nil {
		return fmt.Errorf("write configuration of engine: %w", err)
	}
	if err := engine.Start(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	ended := make(chan struct{}) // closed by the goroutine below; nothing is sent
	go func() {                  // ends with the engine, which stop waits for
		_ = engine.Wait() // how it ended does not matter: what it said is in the log
		close(ended)
	}()
	stop := func() {
		_ = engine.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(dockerPatience):
			t.Error("the Docker engine does not stop")
			_ = engine.Process.Kill()
			<-ended
		}
		_ = logs.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove what the engine kept: %v", err)
		}
	}
	if err := dockerAnswers(t.Context(), host, ended); err != nil {
		text, _ := os.ReadFile(logs.Name()) // if it cannot be read, the error still stands
		stop()
		return fmt.Errorf("%w; its last lines:\n%s", err, text[max(0, len(text)-2000):])
	}
	t.Cleanup(stop)
	t.Setenv("DOCKER_HOST", host)
	t.Logf("no Docker engine answered, so the test runs its own, with the flags %v", flags)
	return nil
}

// dockerAnswers returns nil when the engine at host answers, and an error if it ends before, or takes too long.
func dockerAnswers(ctx context.Context, host string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, dockerPatience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if exec.CommandContext(ctx, "docker", "--host", host, "version").Run() == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("dockerd ended")
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// dockerBaseImages sees to it that the engine has the images that ours starts from, pulled or made of this machine's
// programs. Stand-ins are removed in the end, so that nobody takes them for the real ones.
func dockerBaseImages(t *testing.T, c *dockerCluster) {
	made := c.run(t, "deploy/stand-in-images.sh")
	for name := range strings.FieldsSeq(made) {
		t.Logf("%s cannot be pulled: a stand-in of this machine's programs takes its place", name)
		t.Cleanup(func() { c.cleanup(t, "docker", "image", "rm", "--force", name) })
	}
}

// dockerLeftovers returns what the engine has that a teardown has to remove.
func dockerLeftovers(t *testing.T) map[string]string {
	all := make(map[string]string)
	for what, args := range map[string][]string{
		"containers": {"ps", "--all", "--quiet", "--no-trunc"},
		"networks":   {"network", "ls", "--quiet", "--no-trunc"},
		"volumes":    {"volume", "ls", "--quiet"},
	} {
		out, err := exec.CommandContext(t.Context(), "docker", args...).Output()
		if err != nil {
			t.Fatalf("list %s: %v", what, err)
		}
		all[what] = string(out)
	}
	return all
}
