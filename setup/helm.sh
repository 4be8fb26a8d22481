#!/bin/sh
# Helm for the chart's tests at .tools/bin/helm: the one that is named or on PATH, else built once from the Go module
# proxy (a few minutes). Its version of Kubernetes' libraries is that of the test cluster: they are built only once.
set -e
version=3.19.4
kubernetes=34 # minor version
mkdir -p .tools/bin
found=${PHOENIX_HELM:-$(command -v helm || true)}
if [ -n "$found" ]; then
  "$found" version --short > /dev/null || { echo "Helm: $found does not run; set PHOENIX_HELM to one that does" >&2; exit 1; }
  ln -sf "$found" .tools/bin/helm
  exit 0
fi
command -v go > /dev/null || { echo "Helm: install Go 1.25 or newer to build it, or set PHOENIX_HELM to a helm 3" >&2; exit 1; }
echo "building Helm $version: a few minutes, once"
helm=helm.sh/helm/v3
flags="-s -w -X $helm/internal/version.version=v$version"
for room in pkg/chartutil pkg/lint/rules; do
  flags="$flags -X $helm/$room.k8sVersionMajor=1 -X $helm/$room.k8sVersionMinor=$kubernetes"
done
GOBIN="$PWD/.tools/bin" CGO_ENABLED=0 GOFLAGS=-mod=mod nice -n 5 go install -trimpath -ldflags "$flags" "$helm/cmd/helm@v$version"
