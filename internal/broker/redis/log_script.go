package redis

import (
	"context"
	crand "crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/rueidis"
)

// The scripts; see docs/adr/0009-logs-in-redis.md.
var (
	//go:embed lua/epoch.lua
	epochText string
	//go:embed lua/publish.lua
	publishText string
	//go:embed lua/read.lua
	readText string
)

// scriptText returns a script for the server process with that run id: the shared beginning stands behind the first
// line, which Redis wants first.
func scriptText(text, run string) string {
	shebang, body, _ := strings.Cut(text, "\n")
	return shebang + "\n" + strings.ReplaceAll(epochText, "@RUN@", run) + body
}

// newNonce names the epoch that a call may begin: letters and digits, fresh and random at each call and each retry.
func newNonce() string {
	const length = 16 // 80 bits
	return crand.Text()[:length]
}

// wire is a connection whose server has the scripts. It may be used by several goroutines at once.
type wire struct {
	client rueidis.Client
	loaded atomic.Pointer[loaded]
}

// loaded is what the scripts are called in one process of the server.
type loaded struct{ publish, read string }

// load loads the scripts for the process that answers on this connection. All that depends on which process that is
// goes in two steps on the one connection: where another answers the second, what it loads has another's run id in it,
// and is of no use to anybody.
func (w *wire) load(ctx context.Context) error {
	info, err := w.client.Do(ctx, w.client.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return fmt.Errorf("ask which process this is: %w", err)
	}
	run, err := checkServer(info)
	if err != nil {
		return err
	}
	var names [2]string
	for i, reply := range w.client.DoMulti(ctx,
		w.client.B().ScriptLoad().Script(scriptText(publishText, run)).Build(),
		w.client.B().ScriptLoad().Script(scriptText(readText, run)).Build(),
	) {
		if names[i], err = reply.ToString(); err != nil {
			return fmt.Errorf("load a script: %w", err)
		}
	}
	w.loaded.Store(&loaded{publish: names[0], read: names[1]})
	return nil
}

// errOld says that the server is older than what scripts need.
var errOld = errors.New("log rooms need Redis 7 or later")

var (
	runID   = regexp.MustCompile(`(?m)^run_id:([0-9a-f]{40})\r?$`)
	version = regexp.MustCompile(`(?m)^redis_version:(([0-9]+)\.[^\r\n]*)\r?$`)
)

// checkServer returns the run id that `INFO server` tells.
func checkServer(info string) (run string, err error) {
	id := runID.FindStringSubmatch(info)
	v := version.FindStringSubmatch(info)
	if id == nil || v == nil {
		return "", errors.New("read INFO server: no run_id or redis_version")
	}
	if major, err := strconv.Atoi(v[2]); err != nil || major < 7 {
		return "", fmt.Errorf("%w: this is %s", errOld, v[1])
	}
	return id[1], nil
}

// The keys and the channel of a room; the braces keep them in one slot of a cluster.
func streamKey(room string) string { return "rh:{" + room + "}:s" }
func metaKey(room string) string   { return "rh:{" + room + "}:m" }
func channelOf(room string) string { return "rh:{" + room + "}:c" }

// idempotencyKey holds the position of what publisher published under key. The length keeps x and y:z apart from x:y
// and z.
func idempotencyKey(room, publisher, key string) string {
	return "rh:{" + room + "}:i:" + strconv.Itoa(len(publisher)) + ":" + publisher + ":" + key
}

// roomOf returns the room whose channel this is, "" for none.
func roomOf(channel string) string {
	rest, found := strings.CutPrefix(channel, "rh:{")
	room, found2 := strings.CutSuffix(rest, "}:c")
	if !found || !found2 {
		return ""
	}
	return room
}

// refusedUndone reports whether an answer says that Redis did nothing of what a call asked for.
func refusedUndone(answer string) bool {
	code, _, _ := strings.Cut(answer, " ")
	switch code {
	case "NOSCRIPT", "OOM", "READONLY", "MISCONF", "LOADING", "MASTERDOWN", "NOREPLICAS", "NOPERM", "NOAUTH", "BUSY":
		return true
	}
	return false
}

// isNoScript reports whether err says that the process does not have the script: it did not load it, or forgot it.
func isNoScript(err error) bool {
	answer, ok := errors.AsType[*rueidis.RedisError](err)
	return ok && answer.IsNoScript()
}

// ofOneRoom reports whether err says that something is wrong with the room that was asked for, or with the memory that
// is left: nothing that a new connection would change, or that other rooms have to suffer for.
func ofOneRoom(err error) bool {
	if errors.Is(err, errReply) || outOfMemory(err) {
		return true
	}
	answer, ok := errors.AsType[*rueidis.RedisError](err)
	return ok && !refusedUndone(answer.Error()) && !strings.Contains(answer.Error(), "The user executing the script")
}

// outOfMemory reports whether err says that Redis's memory is full.
func outOfMemory(err error) bool {
	answer, ok := errors.AsType[*rueidis.RedisError](err)
	return ok && strings.HasPrefix(answer.Error(), "OOM ")
}
