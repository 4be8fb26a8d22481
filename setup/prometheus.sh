#!/bin/sh
# A Prometheus for the tests at .tools/bin/prometheus: the one that is named or on PATH, else Debian's package, unpacked
# here without being installed.
set -e
mkdir -p .tools/bin
found=${PHOENIX_PROMETHEUS:-$(command -v prometheus || true)}
if [ -n "$found" ]; then
  ln -sf "$found" .tools/bin/prometheus
  exit 0
fi
say() { echo "Prometheus: $1; install it (https://prometheus.io/download/) or set PHOENIX_PROMETHEUS" >&2; exit 1; }
command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || say "neither on PATH nor to be had as a Debian package"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
get() { (cd "$folder" && apt-get -q -o APT::Sandbox::User="$(id -un)" download prometheus) > "$folder/log" 2>&1; }
get || { [ "$(id -u)" = 0 ] && apt-get -q update > /dev/null 2>&1 && get; } || { cat "$folder/log" >&2; say "apt-get cannot get the package"; }
dpkg-deb -x "$folder"/prometheus_*.deb "$folder/root"
mv "$folder/root/usr/bin/prometheus" .tools/bin/prometheus
echo "Prometheus: $(.tools/bin/prometheus --version 2>&1 | head -1)"
