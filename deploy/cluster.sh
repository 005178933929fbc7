#!/usr/bin/env bash
# The containers of compose.yaml: sets them up, waits until they are healthy, cuts them off from Redis, removes them.
#
#   deploy/cluster.sh setup | teardown | logs | isolate | heal
#
# From the environment: COMPOSE_PROJECT_NAME (realtime-hub), HUB_SECRETS (./secrets), SETUP_TIMEOUT in seconds (180),
# VERSION (what git says), and what compose.yaml names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-realtime-hub}
export HUB_SECRETS=${HUB_SECRETS:-./secrets}
readonly services=(redis hub1 hub2 client1 client2)

fail() { # line…: what is wrong, and what to do
  printf 'make %s: %s\n' "$target" "$1" >&2
  [ $# -lt 2 ] || printf '  → %s\n' "${@:2}" >&2
  exit 1
}

# find_compose sets compose to the Compose that is here: the plugin, or docker-compose.
find_compose() {
  command -v docker >/dev/null || fail "there is no docker" "install Docker, or do without it: make run"
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
  else
    fail "there is no Compose" \
      "install the Compose plugin, or docker-compose (on Debian: apt-get install docker-compose)"
  fi
  docker version >/dev/null 2>&1 || fail "the Docker engine does not answer" \
    "start it, and see that you may use it: docker version" "or do without it: make run"
}

sha256() { # of the standard input
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# write_secrets makes the hubs' password, unless there is one: what the hubs show and what Redis knows of it. Both files
# can be read by everybody, as docker-compose 1.29 gives them to the containers' users as they are; the folder around
# them can be entered by its owner alone.
write_secrets() {
  [ ! -s "$HUB_SECRETS/broker_url" ] || [ ! -s "$HUB_SECRETS/redis_acl" ] || return 0
  mkdir -p "$HUB_SECRETS"
  chmod 700 "$HUB_SECRETS"
  rm -f "$HUB_SECRETS/broker_url" "$HUB_SECRETS/redis_acl"
  local password hash
  password=$(od -An -N 32 -t x1 /dev/urandom | tr -d ' \n')
  hash=$(printf %s "$password" | sha256)
  sed -e '/^#/d' -e "s/@SHA256@/$hash/" deploy/redis.acl >"$HUB_SECRETS/redis_acl"
  printf 'redis://hub:%s@redis:6379\n' "$password" >"$HUB_SECRETS/broker_url"
  chmod 444 "$HUB_SECRETS/redis_acl" "$HUB_SECRETS/broker_url"
  new_secrets=yes # a container that runs still has the old ones
}

# states prints a line for each container: its service, how it is (starting, healthy, unhealthy, paused, …) and its id.
# A container that starts and ends over and over is "failing".
states() {
  local ids
  ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")
  # shellcheck disable=SC2086 # ids are several words
  [ -z "$ids" ] || docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{
    if and (eq .State.Status "running") .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}} {{
    .Id}} {{.RestartCount}}' $ids | awk '{ print $1, ($2 == "restarting" && $4 >= 5 ? "failing" : $2), $3 }'
}

# state prints how one service is, and nothing where it has no container.
state() { states | awk -v s="$1" '$1 == s { print $2 }'; }

# wait_healthy prints the containers' states at each change, until all are healthy.
wait_healthy() {
  local timeout=${SETUP_TIMEOUT:-180} now line last='' sick s
  local deadline=$((SECONDS + timeout))
  while :; do
    now=$(states) line='' sick=''
    for s in "${services[@]}"; do
      line+="  $s $(awk -v s="$s" '$1 == s { print $2; found = 1 } END { if (!found) print "missing" }' <<<"$now")"
      grep -q "^$s healthy " <<<"$now" || sick=${sick:-$s}
    done
    [ "$line" = "$last" ] || printf '%4d s%s\n' "$SECONDS" "$line"
    last=$line
    [ -n "$sick" ] || return 0
    case $line in *failing*) break ;; esac
    [ "$SECONDS" -lt "$deadline" ] || break
    sleep 1
  done
  s=$(awk '$2 == "failing" { print $1; exit }' <<<"$now")
  report "${s:-$sick}"
}

report() { # service: says why it is not healthy, and ends
  printf '\nThe last lines of %s:\n' "$1" >&2
  "${compose[@]}" logs --no-color --tail=30 "$1" >&2 || true
  docker inspect -f '{{with .State.Health}}{{range .Log}}health check: {{.Output}}{{end}}{{end}}' \
    "$(states | awk -v s="$1" '$1 == s { print $3 }')" >&2 || true
  fail "$1 is not healthy after $SECONDS s" "its lines above say why; those of all: make logs" \
    "more time: SETUP_TIMEOUT=600 make setup; anew: make teardown setup"
}

setup() {
  write_secrets
  export VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
  "${compose[@]}" build hub1 || fail "the image cannot be built" "see the lines above"
  "${compose[@]}" up -d --no-build ${new_secrets:+--force-recreate} || fail "the containers cannot be started" \
    "if a port is in use, stop what uses it, or: HUB1_PORT=8091 make setup (also HUB2_PORT, CLIENT1_PORT, CLIENT2_PORT)"
  wait_healthy
  cat <<END

Realtime Hub is up: 2 hubs, a page in front of each, and Redis between them.
  Chat     http://localhost:${CLIENT1_PORT:-9081}  (hub1)    http://localhost:${CLIENT2_PORT:-9082}  (hub2)
  Publish  curl -d hello localhost:${HUB1_PORT:-8081}/v1/rooms/lobby/messages
  Open both pages, press Connect, say hello. To stop: make teardown
END
}

teardown() {
  [ "$(state redis)" != paused ] || "${compose[@]}" unpause redis
  "${compose[@]}" down --volumes --remove-orphans
  rm -f "$HUB_SECRETS/broker_url" "$HUB_SECRETS/redis_acl"
  [ ! -d "$HUB_SECRETS" ] || rmdir "$HUB_SECRETS"
}

isolate() {
  case $(state redis) in
    '') fail "there is no Redis to pause" "start the containers first: make setup" ;;
    paused) ;;
    *) "${compose[@]}" pause redis ;;
  esac
  echo "Redis is paused: within seconds each hub serves its own clients alone. To end it: make heal"
}

heal() {
  [ "$(state redis)" != paused ] || "${compose[@]}" unpause redis
  echo "Redis answers: within seconds the hubs are one again."
}

logs() { exec "${compose[@]}" logs --follow --tail=200; }

target=${1:-}
case $target in
  setup | teardown | logs | isolate | heal) find_compose; "$target" ;;
  *) fail "what is to be done?" "deploy/cluster.sh setup, teardown, logs, isolate or heal" ;;
esac
