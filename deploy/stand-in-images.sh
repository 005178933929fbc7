#!/usr/bin/env bash
# Sees to it that the engine has the images that Dockerfile and compose.yaml start from. Those that it lacks are pulled;
# where that is not possible, stand-ins are made of this machine's own Go, module cache and Redis, so that the build and
# the containers can be tried without a network. A stand-in has the label realtime-hub.stand-in; prints its name.
#
#   deploy/stand-in-images.sh [PULL_TIMEOUT in seconds, 300]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
timeout=${1:-300}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# new_root makes the skeleton of a file system, laid out as Debian and Alpine both can be: /bin is /usr/bin.
new_root() {
  mkdir -p "$1"/{etc,root,tmp,usr/bin,usr/lib,usr/lib64}
  ln -s usr/bin usr/lib usr/lib64 "$1/"
  chmod 1777 "$1/tmp"
}

# add_program copies a program of this machine to a root, with the libraries that it loads.
add_program() { # name, root
  local real lib
  real=$(readlink -f "$(command -v "$1")") || { echo "stand-in-images: there is no $1 here" >&2; exit 1; }
  install -m 755 "$real" "$2/usr/bin/$1"
  { ldd "$real" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r lib; do
    [ -e "$2$lib" ] || install -D -m 755 "$lib" "$2$lib"
  done
}

import() { # root, name, change…: makes the image and prints its name
  local root=$1 name=$2 change options=()
  shift 2
  for change in 'LABEL realtime-hub.stand-in=true' "$@"; do options+=(--change "$change"); done
  tar -C "$root" -c . | docker import "${options[@]}" - "$name" >/dev/null
  echo "$name"
}

# add_compiled copies what this machine has compiled of the binary, so that it is not compiled once more in the container:
# for the same source, compiler and flags. Where it does not fit, Go compiles.
add_compiled() { # folder
  local cache hash
  cache=$(go env GOCACHE)
  CGO_ENABLED=0 go list -export -deps -trimpath -f '{{with .Export}}{{.}} {{$.BuildID}}{{end}}' ./cmd/realtime-hub \
    >"$work/compiled"
  mkdir -p "$1"
  {
    sed -n "s|^$cache/\([^ ]*\) .*|\1|p" "$work/compiled"
    # What it was made of is the name of a small file beside it; the build id begins with 15 bytes of that, in base 64.
    sed 's|.* \(.*\)/.*|\1|' "$work/compiled" | tr -d '\n' | tr -- -_ +/ | base64 -d | od -An -v -t x1 -w15 | tr -d ' ' |
      while read -r hash; do (cd "$cache" && echo "${hash:0:2}/$hash"*-a); done
  } | tar -C "$cache" -cf - -T - | tar -C "$1" -xf -
}

# make_go stands in for an image of Go: this machine's, and the modules that go.mod names. With those, GOPROXY=off does.
make_go() { # name
  local root=$work/go goroot modules dir
  goroot=$(go env GOROOT) modules=$(go env GOMODCACHE)/cache/download
  new_root "$root"
  mkdir -p "$root/usr/local/go" "$root/etc/ssl/certs"
  for dir in bin lib pkg src VERSION go.env; do cp -a "$goroot/$dir" "$root/usr/local/go/"; done
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  add_program sh "$root"
  go mod download
  GOMODCACHE="$root/go/pkg/mod" GOPROXY="file://$modules" GOSUMDB=off GOFLAGS=-modcacherw \
    go mod download
  add_compiled "$root/root/.cache/go-build"
  import "$root" "$1" 'ENV PATH=/usr/local/go/bin:/usr/bin:/bin' 'ENV HOME=/root' 'ENV GOPATH=/go' 'ENV GOPROXY=off' \
    'ENV GOTOOLCHAIN=local'
}

make_redis() { # name
  local root=$work/redis program
  new_root "$root"
  for program in redis-server redis-cli sh; do add_program "$program" "$root"; done
  install -d -o 999 -g 1000 "$root/data" # as in the image: a new volume takes this owner over
  import "$root" "$1" 'ENV PATH=/usr/bin:/bin' 'VOLUME /data' 'WORKDIR /data' 'CMD ["redis-server"]'
}

provide() { # image, how to make a stand-in
  docker image inspect "$1" >/dev/null 2>&1 || timeout "$timeout" docker pull --quiet "$1" >/dev/null || "$2" "$1"
}

provide "$(awk '$1 == "FROM" && $2 ~ /golang/ { print $2; exit }' Dockerfile)" make_go
provide "$(awk '$1 == "image:" && $2 ~ /redis/ { print $2; exit }' compose.yaml)" make_redis
