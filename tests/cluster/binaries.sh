#!/bin/bash
# Prints the folder with the cluster's binaries (hyperkube under its six names, images of busybox): built once, kept in the cache.
# Usage: binaries.sh [build]    without `build` it fails when nothing is there yet.
# Environment: PHOENIX_HYPERKUBE (a binary to take instead of building one), PHOENIX_CACHE; GOCACHE, GOMODCACHE, GOPROXY
# as Go knows them. Progress goes to the error output.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's#^require k8s.io/kubernetes v##p' "$here/hyperkube/go.mod")
cache=${PHOENIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/phoenix}/kubernetes
say() { echo "cluster: $*" >&2; }

links() { # links FOLDER: the names by which components are called
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do
    ln -sf hyperkube "$1/$name"
  done
  [ -e "$1/box.tar" ] || box "$1"
}

box() { # box FOLDER: two images of busybox: what pods are made of besides ours, and the sandbox of every pod
  local root; root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/tmp" "$root/etc"
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
  printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' > "$root/etc/passwd"
  (
    cd "$here/../.."
    "${PYTHON:-python3}" -m images.archive phoenix.local/pause:1 "$root" "$1/pause.tar" /bin/sleep 2147483647
    "${PYTHON:-python3}" -m images.archive phoenix.local/box:1 "$root" "$1/box.tar" /bin/sh
  )
  rm -rf "$root"
}

if [ -n "${PHOENIX_HYPERKUBE:-}" ]; then
  said=$("$PHOENIX_HYPERKUBE" kubectl version --client 2>/dev/null | head -1) || true
  case $said in
    *"v$version") ;;
    *) say "PHOENIX_HYPERKUBE ($PHOENIX_HYPERKUBE) is not Kubernetes $version: ${said:-it cannot be started}"; exit 1 ;;
  esac
  folder=$cache/given-$(realpath "$PHOENIX_HYPERKUBE" | sha256sum | cut -c1-16)
  mkdir -p "$folder"
  ln -sf "$(realpath "$PHOENIX_HYPERKUBE")" "$folder/hyperkube"
  links "$folder"
  echo "$folder"
  exit
fi

folder=$cache/$(cat "$here"/hyperkube/{main.go,go.mod,go.sum} | sha256sum | cut -c1-16)
if [ ! -x "$folder/hyperkube" ]; then
  [ "${1:-}" = build ] || { say "Kubernetes is not built yet: run make test-kubernetes"; exit 1; }
  mkdir -p "$cache"
  exec 9> "$cache/.building"
  flock -w 3600 9 || { say "another build has gone on for an hour"; exit 1; }
fi
if [ ! -x "$folder/hyperkube" ]; then
  say "building Kubernetes $version from the Go module proxy, once: 5 to 12 minutes on two cores"
  work=$(mktemp -d "$cache/.work-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  start=$(date +%s)
  x=k8s.io/component-base/version
  (
    cd "$here/hyperkube"
    GOFLAGS="-mod=readonly -buildvcs=false" GOWORK=off CGO_ENABLED=0 nice -n 5 go build -v -trimpath -o "$work/hyperkube" \
      -ldflags="-s -w -X $x.gitVersion=v$version -X $x.gitMajor=1 -X $x.gitMinor=$(cut -d. -f2 <<< "$version") -X $x.gitTreeState=clean" .
  ) > "$work/log" 2>&1 &
  build=$!
  while kill -0 "$build" 2>/dev/null; do # a line each half minute
    for _ in $(seq 60); do kill -0 "$build" 2>/dev/null || break; sleep 0.5; done
    say "$(($(date +%s) - start)) s: $(grep -vc downloading "$work/log") packages compiled"
  done
  wait "$build" || { tail -20 "$work/log" >&2; say "the build failed; it needs the Go module proxy or filled caches"; exit 1; }
  mkdir -p "$folder"
  mv "$work/hyperkube" "$folder/hyperkube"
  say "Kubernetes $version built in $(($(date +%s) - start)) s"
fi
links "$folder"
echo "$folder"
