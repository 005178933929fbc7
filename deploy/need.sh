#!/usr/bin/env bash
# Sees to it that the programs are here which tests need. What is missing is installed on Debian and Ubuntu, as root;
# elsewhere it is named, and this fails.
#
#   deploy/need.sh [cc | chromium | compose | curl | docker | node | npm | redis]…
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

# has reports whether a thing is here.
has() {
  case $1 in
    cc) printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | gcc -x c -o /dev/null - 2>/dev/null ;;
    chromium) have chromium || have chromium-browser || have google-chrome ;;
    compose) docker compose version >/dev/null 2>&1 || have docker-compose ;;
    docker) have docker && { docker version >/dev/null 2>&1 || { have dockerd && have iptables && have ip; }; } ;;
    # With a WebSocket of its own, be it behind a flag.
    node) have node && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 10) ? 0 : 1)' ;;
    redis) have redis-server && have redis-cli ;;
    *) have "$1" ;;
  esac
}

# packages prints what apt-get is to install for it.
packages() {
  case $1 in
    cc) echo gcc libc6-dev ;;
    compose) echo docker-compose ;;
    docker) echo docker.io iptables iproute2 ca-certificates ;;
    node | npm) echo nodejs npm ;;
    redis) echo redis-server ;;
    *) echo "$1" ;;
  esac
}

missing=() install=()
for thing in "$@"; do
  has "$thing" && continue
  missing+=("$thing")
  read -ra words <<<"$(packages "$thing")"
  install+=("${words[@]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! have apt-get || [ "$(id -u)" -ne 0 ]; then
  printf 'missing here: %s\n  → install it; on Debian and Ubuntu, as root: apt-get install %s\n' \
    "${missing[*]}" "${install[*]}" >&2
  case " $* " in
    *' docker '*) ;;
    *' chromium '* | *' node '*) echo '  → or run the tests that need Go alone: make test SHORT=1' >&2 ;;
  esac
  exit 1
fi
echo "missing here: ${missing[*]}; installing ${install[*]}"
export DEBIAN_FRONTEND=noninteractive
# The services of these packages are not to start: the tests start what they need themselves.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${install[@]}" >/dev/null
# Debian 12 has Node 18, whose npm gets a later one.
if [[ " ${missing[*]} " == *' node '* ]] && ! has node; then
  case $(uname -m) in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
  npm install --global --silent --no-fund --no-audit "node-linux-$machine@22"
  hash -r
fi
for thing in "${missing[@]}"; do
  has "$thing" || { echo "$thing is still missing, though apt-get installed ${install[*]}" >&2; exit 1; }
done
