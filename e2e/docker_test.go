//go:build docker && linux

package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestDocker brings up the containers as a user would, with make alone, and looks at all that is promised of them. Its
// parts share the containers and follow each other.
func TestDocker(t *testing.T) {
	dockerEngine(t)
	before := dockerLeftovers(t)
	c := newDockerCluster(t)
	dockerBaseImages(t, c)
	c.make(t, "go-deps")
	c.make(t, "setup")

	t.Run("five containers are healthy", c.testHealthy)
	t.Run("secrets are for their owner alone", c.testSecrets)
	t.Run("containers can do little", c.testHardening)
	t.Run("image is small and silent", c.testImage)
	t.Run("each page has its own hub", c.testPages)
	t.Run("three tabs on each page", c.testWalkthrough)
	t.Run("messages reach everybody else once", c.testMessages)
	t.Run("a hub that was killed comes back", c.testKilledHub)
	t.Run("hubs cut off from Redis go on alone", c.testIsolation)
	t.Run("a third hub joins and goes", c.testThirdHub)
	t.Run("a second setup changes nothing", c.testSecondSetup)
	t.Run("a wrong password is reported", c.testWrongPassword)

	c.make(t, "teardown")
	t.Run("nothing is left behind", func(t *testing.T) { c.testNothingLeft(t, before) })
}

func (c *dockerCluster) testHealthy(t *testing.T) {
	for _, service := range dockerServices {
		if got := c.inspect(t, service).State.Health.Status; got != "healthy" {
			t.Errorf("%s is %q, want healthy", service, got)
		}
	}
	if got := len(c.containers(t)); got != len(dockerServices) {
		t.Errorf("there are %d containers, want %d", got, len(dockerServices))
	}
	for _, hub := range []string{"hub1", "hub2"} {
		c.waitReady(t, hub, false)
	}
}

// testSecrets sees that another user of the machine cannot reach the secrets, and that Redis does not know the password
// itself.
func (c *dockerCluster) testSecrets(t *testing.T) {
	for path, want := range map[string]fs.FileMode{"": 0o700 | fs.ModeDir, "broker_url": 0o444, "redis_acl": 0o444} {
		info, err := os.Stat(filepath.Join(c.secrets, path))
		if err != nil {
			t.Fatalf("stat secret: %v", err)
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v", info.Name(), info.Mode(), want)
		}
	}
	acl, err := os.ReadFile(filepath.Join(c.secrets, "redis_acl"))
	if err != nil {
		t.Fatalf("read ACL file: %v", err)
	}
	if password := c.password(t); len(password) < 32 || strings.Contains(string(acl), password) {
		t.Errorf("the password is short, or stands in the file of Redis")
	}
	for _, id := range c.containers(t) {
		if strings.Contains(c.docker(t, "inspect", id), c.password(t)) {
			t.Errorf("docker inspect %s shows the password", id)
		}
	}
}

// testHardening looks at what the processes can really do, beside what was asked for.
func (c *dockerCluster) testHardening(t *testing.T) {
	for _, service := range dockerServices {
		got := c.inspect(t, service)
		if !got.HostConfig.ReadonlyRootfs || got.HostConfig.Privileged || got.HostConfig.Memory == 0 {
			t.Errorf("%s: want read-only, not privileged, with a limit of memory, got %+v", service, got.HostConfig)
		}
		if got.HostConfig.RestartPolicy.Name != "unless-stopped" {
			t.Errorf("%s: restart policy %q, want unless-stopped", service, got.HostConfig.RestartPolicy.Name)
		}
		if service != "redis" && got.Image != c.inspect(t, "hub1").Image {
			t.Errorf("%s has another image than hub1", service)
		}
		status := dockerProcess(t, got.State.Pid, "status")
		for name, want := range map[string]string{
			"Uid": `[1-9]\d*\s+[1-9]\d*\s+[1-9]\d*\s+[1-9]\d*`, "Gid": `[1-9]\d*\s+[1-9]\d*\s+[1-9]\d*\s+[1-9]\d*`,
			"CapEff": "0+", "CapPrm": "0+", "CapBnd": "0+", "NoNewPrivs": "1", "Seccomp": "2",
		} {
			if !regexp.MustCompile(`(?m)^` + name + `:\s+` + want + `$`).MatchString(status) {
				t.Errorf("%s: %s of its process does not match %s in\n%s", service, name, want, status)
			}
		}
		// The mount point is the fifth field, its options are the sixth.
		mounts := dockerProcess(t, got.State.Pid, "mountinfo")
		if !regexp.MustCompile(`(?m)^\S+ \S+ \S+ \S+ / ro\b`).MatchString(mounts) {
			t.Errorf("%s can write to its root:\n%s", service, mounts)
		}
		for port, bindings := range got.HostConfig.PortBindings {
			for _, b := range bindings {
				if service == "redis" || b.HostIP != "127.0.0.1" {
					t.Errorf("%s publishes %s at %s:%s: want loopback, and nothing of Redis", service, port, b.HostIP, b.HostPort)
				}
			}
		}
	}
}

func (c *dockerCluster) testImage(t *testing.T) {
	var image []struct {
		Size   int64
		Config struct {
			User        string
			Entrypoint  []string
			Healthcheck *struct{ Test []string }
		}
	}
	c.dockerJSON(t, &image, "image", "inspect", c.image)
	if image[0].Size > 20e6 {
		t.Errorf("the image has %d bytes, want at most 20 MB", image[0].Size)
	}
	config := image[0].Config
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(config.User) || config.Healthcheck == nil {
		t.Errorf("want a numeric user and a health check, got %+v", config)
	}
	history := c.docker(t, "history", "--no-trunc", "--format", "{{.CreatedBy}}", c.image)
	where := regexp.MustCompile(`(?i)goproxy|://[^/]*(@|proxy|registry)`)
	if strings.Contains(history, c.password(t)) || where.MatchString(history) {
		t.Errorf("the image's history shows where it was built, or a secret:\n%s", history)
	}
	out, err := c.command("docker", "run", "--rm", "--entrypoint", "/bin/sh", c.image, "-c", "true").CombinedOutput()
	if err == nil {
		t.Errorf("the image has a shell:\n%s", out)
	}
	if out := c.docker(t, "run", "--rm", c.image, "version"); !strings.Contains(out, c.version) {
		t.Errorf("the binary says it is %q, want the version %s", out, c.version)
	}
}

func (c *dockerCluster) testPages(t *testing.T) {
	for client, hub := range map[string]string{"client1": "hub1", "client2": "hub2"} {
		page, header, err := dockerGet(t.Context(), "http://localhost:"+c.ports[client]+"/")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, `id="connect"`) {
			t.Errorf("%s serves no page with a Connect button:\n%.300s", client, page)
		}
		policy := header.Get("Content-Security-Policy")
		for _, other := range []string{"hub1", "hub2"} {
			address := "ws://localhost:" + c.ports[other]
			if got, want := strings.Contains(policy, address), other == hub; got != want {
				t.Errorf("the page of %s may connect to %s: %t, want %t: %s", client, other, got, want, policy)
			}
		}
	}
}

// testWalkthrough does in a browser what the README says.
func (c *dockerCluster) testWalkthrough(t *testing.T) {
	browser := browserStart(t)
	people := new(browserCluster)
	for i := range 6 {
		client := fmt.Sprintf("client%d", i/3+1)
		tab := browserOpen(t, browser, fmt.Sprintf("%s-%d", client, i%3+1), "http://localhost:"+c.ports[client])
		tab.connect()
		people.tabs = append(people.tabs, tab)
	}
	people.testAll(t)
	for _, tab := range people.tabs {
		tab.quiet()
	}
}

func (c *dockerCluster) testMessages(t *testing.T) { c.exchange(t, 20) }

// testKilledHub kills hub1 as the kernel would, not as Docker does: a container that Docker was told to stop stays
// away.
func (c *dockerCluster) testKilledHub(t *testing.T) {
	before := c.inspect(t, "hub1")
	if err := syscall.Kill(before.State.Pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill hub1: %v", err)
	}
	dockerEventually(t, "hub1 is healthy again, in another process", func() error {
		now := c.inspect(t, "hub1")
		if now.State.Pid == before.State.Pid || now.State.Health.Status != "healthy" || now.RestartCount == 0 {
			return fmt.Errorf("it is %+v", now.State)
		}
		return nil
	})
	c.waitReady(t, "hub1", false)
	c.exchange(t, 3)
}

// testIsolation has people go on who are there when Redis goes away: each hub serves its own, and the lobby is a log room,
// so that the others hear all of it, once, when Redis is back.
func (c *dockerCluster) testIsolation(t *testing.T) {
	const n = 3
	var all []*dockerPerson
	people := make(map[string][]*dockerPerson) // by their hub
	for _, hub := range []string{"hub1", "hub2"} {
		people[hub] = []*dockerPerson{c.connect(t, hub, hub+"-a"), c.connect(t, hub, hub+"-b")}
		all = append(all, people[hub]...)
	}
	c.make(t, "isolate")
	for _, hub := range []string{"hub1", "hub2"} {
		c.waitReady(t, hub, true)
	}
	for _, hub := range []string{"hub1", "hub2"} {
		dockerTalk(t, people[hub], n)
	}
	c.make(t, "heal")
	for _, hub := range []string{"hub1", "hub2"} {
		c.waitReady(t, hub, false)
	}
	ctx, cancel := context.WithTimeout(t.Context(), dockerPatience)
	defer cancel()
	dockerAll(t, all, func(p *dockerPerson) error { return p.wait(ctx, (len(all)-1)*(n+1)) })
	dockerHeard(t, all, n+1)
	c.exchange(t, 3)
}

// testThirdHub lays the file for three hubs over the other, as docs/operations.md says, and takes the third away again.
func (c *dockerCluster) testThirdHub(t *testing.T) {
	compose := []string{"docker", "compose"}
	if c.command("docker", "compose", "version").Run() != nil {
		compose = []string{"docker-compose"}
	}
	compose = append(compose, "-f", "compose.yaml", "-f", "deploy/compose.three-hubs.yaml")
	run := func(args ...string) { c.run(t, compose[0], append(compose[1:len(compose):len(compose)], args...)...) }
	run("up", "-d", "--no-build")
	for _, hub := range []string{"hub1", "hub2", "hub3"} {
		c.waitReady(t, hub, false)
	}
	for _, service := range []string{"hub3", "client3"} {
		dockerEventually(t, service+" is healthy", func() error {
			if state := c.inspect(t, service).State; state.Health.Status != "healthy" {
				return fmt.Errorf("it is %+v", state)
			}
			return nil
		})
	}
	var people []*dockerPerson
	for _, hub := range []string{"hub1", "hub2", "hub3"} {
		people = append(people, c.connect(t, hub, hub+"-third"))
	}
	dockerTalk(t, people, 3)
	page, header, err := dockerGet(t.Context(), "http://localhost:"+c.ports["client1"])
	if err != nil {
		t.Fatal(err)
	}
	for _, hub := range []string{"hub1", "hub2", "hub3"} {
		if allowed := header.Get("Content-Security-Policy"); !strings.Contains(allowed, "ws://localhost:"+c.ports[hub]) {
			t.Errorf("the page of client1 may not reach %s: %s\n%s", hub, allowed, page)
		}
	}
	run("rm", "--stop", "--force", "hub3", "client3")
	c.make(t, "setup") // which gives the pages their own hub alone again
}

func (c *dockerCluster) testSecondSetup(t *testing.T) {
	before, password := c.containers(t), c.password(t)
	c.make(t, "setup")
	after := c.containers(t)
	for service, id := range before {
		if after[service] != id {
			t.Errorf("the container of %s was replaced", service)
		}
	}
	if c.password(t) != password {
		t.Error("the password has changed")
	}
}

// testWrongPassword sees that a setup that cannot work ends, and says which container is sick and what it said.
func (c *dockerCluster) testWrongPassword(t *testing.T) {
	path := filepath.Join(c.secrets, "broker_url")
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read secret: %v", err)
	}
	replace := func(text string) {
		if err := os.Remove(path); err != nil {
			t.Fatalf("remove secret: %v", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o444); err != nil {
			t.Fatalf("write secret: %v", err)
		}
	}
	replace("redis://hub:wrong@redis:6379\n")
	c.docker(t, "restart", c.containers(t)["hub1"])
	out, err := c.command("make", "setup").CombinedOutput()
	if err == nil {
		t.Errorf("make setup succeeded with a wrong password:\n%s", out)
	}
	for _, want := range []string{"hub1 is not healthy", "refuse", "→"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make setup does not say %q:\n%s", want, out)
		}
	}
	replace(string(right))
	c.docker(t, "restart", c.containers(t)["hub1"])
	c.make(t, "setup")
}

// testNothingLeft compares what Docker has with what it had before.
func (c *dockerCluster) testNothingLeft(t *testing.T, before map[string]string) {
	after := dockerLeftovers(t)
	for what, lines := range before {
		if after[what] != lines {
			t.Errorf("%s before:\n%s\nand after:\n%s", what, lines, after[what])
		}
	}
	if _, err := os.Stat(c.secrets); !os.IsNotExist(err) {
		t.Errorf("the folder of the secrets is still there (%v)", err)
	}
}
