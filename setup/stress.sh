#!/bin/sh
# stress-ng, whose fork stressor `make bench-loadsim` measures beside simulated load: as root on Debian its package is
# installed; elsewhere its row is empty, and the run says so.
set -e
! command -v stress-ng > /dev/null || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "installing for bench-loadsim: stress-ng"
  log=$(mktemp)
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y install --no-install-recommends stress-ng; } \
    > "$log" 2>&1 < /dev/null || { tail -20 "$log" >&2; exit 1; }
  rm -f "$log"
else
  echo "stress-ng is missing: its row stays empty; install your system's package stress-ng" >&2
fi
