#!/bin/sh
# kubeconform for the chart's tests at .tools/bin/kubeconform: the one that is named or on PATH, else built once from the
# Go module proxy (half a minute).
set -e
version=0.8.0
mkdir -p .tools/bin
found=${PHOENIX_KUBECONFORM:-$(command -v kubeconform || true)}
if [ -n "$found" ]; then
  "$found" -v > /dev/null || { echo "kubeconform: $found does not run; set PHOENIX_KUBECONFORM to one that does" >&2; exit 1; }
  ln -sf "$found" .tools/bin/kubeconform
  exit 0
fi
command -v go > /dev/null || { echo "kubeconform: install Go 1.25 or newer to build it, or set PHOENIX_KUBECONFORM" >&2; exit 1; }
echo "building kubeconform $version: half a minute, once"
GOBIN="$PWD/.tools/bin" CGO_ENABLED=0 GOFLAGS=-mod=mod nice -n 5 go install -trimpath -ldflags "-s -w" "github.com/yannh/kubeconform/cmd/kubeconform@v$version"
