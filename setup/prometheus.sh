#!/bin/sh
# A Prometheus and its promtool for the tests in .tools/bin: those that are named or on PATH, else of Debian's package,
# unpacked here without being installed.
set -e
mkdir -p .tools/bin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
say() { echo "Prometheus: $1; install it (https://prometheus.io/download/) or set PHOENIX_PROMETHEUS and PHOENIX_PROMTOOL" >&2; exit 1; }
get() { (cd "$folder" && apt-get -q -o APT::Sandbox::User="$(id -un)" download prometheus) > "$folder/log" 2>&1; }
unpack() { # once, for both
  [ ! -e "$folder/root" ] || return 0
  { command -v apt-get && command -v dpkg-deb; } > /dev/null || say "$1 is neither on PATH nor to be had as a Debian package"
  get || { [ "$(id -u)" = 0 ] && apt-get -q update > /dev/null 2>&1 && get; } || { cat "$folder/log" >&2; say "apt-get cannot get the package"; }
  dpkg-deb -x "$folder"/prometheus_*.deb "$folder/root"
}
take() { # take NAME PATH-THAT-WAS-NAMED
  found=${2:-$(command -v "$1" || true)}
  if [ -n "$found" ]; then
    ln -sf "$found" ".tools/bin/$1"
  else
    unpack "$1"
    mv -f "$folder/root/usr/bin/$1" ".tools/bin/$1"
  fi
  echo "$(.tools/bin/"$1" --version 2>&1 | head -1)"
}
take prometheus "${PHOENIX_PROMETHEUS:-}"
take promtool "${PHOENIX_PROMTOOL:-}"
