//go:build docker && linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var dockerServices = []string{"redis", "hub1", "hub2", "client1", "client2"}

// dockerCluster is the five containers of compose.yaml, under names of the test's own. Its fields do not change.
type dockerCluster struct {
	root    string            // of the test's own checkout
	project string            // Compose's name for the containers
	image   string            // of hubs and pages
	version string            // that the image is built as
	secrets string            // folder
	ports   map[string]string // at which services are published, by service
	env     []string          // of all commands
}

// dockerCheckout copies the repository, so that the test neither sees nor leaves secrets in it, and so that a change to
// a file does not change what is tested.
func dockerCheckout(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "node_modules", "secrets"}, name) {
				return fs.SkipDir
			}
			return os.Mkdir(filepath.Join(root, name), 0o755)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, name), text, info.Mode())
	})
	if err != nil {
		t.Fatalf("copy repository: %v", err)
	}
}

// newDockerCluster names the containers, and has the test's end remove what is left of them.
func newDockerCluster(t *testing.T) *dockerCluster {
	root := filepath.Join(t.TempDir(), "realtime-hub")
	dockerCheckout(t, root)
	c := &dockerCluster{
		root: root, project: "realtime-hub-test", image: "realtime-hub-test", version: "v0.0.0-test",
		secrets: filepath.Join(root, "secrets"), ports: make(map[string]string),
	}
	// Neither what make tells the commands that it runs is for the make that the test runs, nor how somebody's own
	// containers are set up.
	c.env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		foreign := []string{"COMPOSE_", "HUB_", "MAKE", "MFLAGS", "SETUP_TIMEOUT"}
		return slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
	c.env = append(c.env, "COMPOSE_PROJECT_NAME="+c.project, "HUB_IMAGE="+c.image, "VERSION="+c.version)
	for service, port := range map[string]string{
		"hub1": "8081", "hub2": "8082", "hub3": "8083", "client1": "9081", "client2": "9082", "client3": "9083",
	} {
		name := strings.ToUpper(service) + "_PORT"
		if own := os.Getenv(name); own != "" {
			port = own
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatalf("%s needs the port %s: %v → stop what uses it, or: %s=… make test-docker", service, port, err, name)
		}
		_ = l.Close() // nothing was accepted
		c.ports[service] = port
	}
	t.Cleanup(func() {
		if t.Failed() {
			for service, id := range c.containers(t) {
				t.Logf("%s logged:", service)
				c.cleanup(t, "docker", "logs", "--tail", "30", id)
			}
		}
		c.cleanup(t, "make", "teardown")
		c.cleanup(t, "docker", "image", "rm", "--force", c.image)
	})
	return c
}

// command returns a command in the repository that talks to the test's own containers. It does not end with the test's
// context, as the test's end has to clean up; the commands end by themselves.
func (c *dockerCluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = c.root, c.env
	return cmd
}

// run runs a command that must succeed, shows what it says, and returns its output.
func (c *dockerCluster) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := c.command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, t.Output()), t.Output()
	if err := cmd.Run(); err != nil {
		t.Fatalf("run %s %s: %v", name, strings.Join(args, " "), err)
	}
	return out.String()
}

func (c *dockerCluster) make(t *testing.T, target string) { t.Helper(); c.run(t, "make", target) }

// docker runs docker in silence and returns its output.
func (c *dockerCluster) docker(t *testing.T, args ...string) string {
	t.Helper()
	cmd := c.command("docker", args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, complaint.Bytes())
	}
	return out.String()
}

func (c *dockerCluster) dockerJSON(t *testing.T, v any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.docker(t, args...)), v); err != nil {
		t.Fatalf("decode answer of docker %s: %v", strings.Join(args, " "), err)
	}
}

// cleanup runs a command at the test's end, and shows what it says where the test has failed.
func (c *dockerCluster) cleanup(t *testing.T, name string, args ...string) {
	out, err := c.command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("clean up: %s %s: %v", name, strings.Join(args, " "), err)
	}
	if t.Failed() {
		t.Logf("%s %s:\n%s", name, strings.Join(args, " "), out)
	}
}

// containers returns the ids of the containers, by service.
func (c *dockerCluster) containers(t *testing.T) map[string]string {
	t.Helper()
	ids := make(map[string]string)
	out := c.docker(t, "ps", "--all", "--no-trunc", "--filter", "label=com.docker.compose.project="+c.project,
		"--format", `{{.Label "com.docker.compose.service"}} {{.ID}}`)
	for line := range strings.Lines(out) {
		service, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		ids[service] = id
	}
	return ids
}

// dockerContainer is what docker inspect tells of a container, as far as it matters here.
type dockerContainer struct {
	Image        string
	RestartCount int
	State        struct {
		Pid    int
		Status string
		Health struct{ Status string }
	}
	HostConfig struct {
		ReadonlyRootfs bool
		Privileged     bool
		Memory         int64
		RestartPolicy  struct{ Name string }
		PortBindings   map[string][]struct {
			HostIP   string `json:"HostIp"`
			HostPort string
		}
	}
}

func (c *dockerCluster) inspect(t *testing.T, service string) dockerContainer {
	t.Helper()
	id := c.containers(t)[service]
	if id == "" {
		t.Fatalf("%s has no container", service)
	}
	var all []dockerContainer
	c.dockerJSON(t, &all, "inspect", id)
	return all[0]
}

// password returns the hubs' password.
func (c *dockerCluster) password(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.secrets, "broker_url"))
	if err != nil {
		t.Fatalf("read secret: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "redis://hub:")
	password, _, ok := strings.Cut(rest, "@redis:6379")
	if !ok {
		t.Fatal("the file broker_url is not redis://hub:PASSWORD@redis:6379")
	}
	return password
}

// waitReady waits until a hub is ready, and isolated or not.
func (c *dockerCluster) waitReady(t *testing.T, hub string, isolated bool) {
	t.Helper()
	dockerEventually(t, fmt.Sprintf("%s is ready, isolated: %t", hub, isolated), func() error {
		body, _, err := dockerGet(t.Context(), "http://localhost:"+c.ports[hub]+"/readyz")
		if err != nil {
			return err
		}
		var ready struct {
			Hub      string
			Isolated *bool
		}
		if err := json.Unmarshal([]byte(body), &ready); err != nil {
			return fmt.Errorf("decode /readyz: %w", err)
		}
		if ready.Hub != hub || ready.Isolated == nil || *ready.Isolated != isolated {
			return fmt.Errorf("it says %s", body)
		}
		return nil
	})
}

// dockerGet returns the body and header of an answer, which must be 200.
func dockerGet(ctx context.Context, url string) (string, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, dockerPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", nil, fmt.Errorf("make request: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return "", nil, fmt.Errorf("get page: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", nil, fmt.Errorf("read page: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("get %s: %s\n%s", url, answer.Status, body)
	}
	return string(body), answer.Header, nil
}

// dockerProcess returns a file of a process in /proc.
func dockerProcess(t *testing.T, pid int, file string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		t.Fatalf("look at the container's process: %v", err)
	}
	return string(text)
}

// dockerEventually waits until check returns nil. What containers do tells nobody when it is done, so it asks.
func dockerEventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline, tick := time.After(dockerPatience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited %v until %s: %v", dockerPatience, what, err)
		case <-tick.C:
		}
	}
}
