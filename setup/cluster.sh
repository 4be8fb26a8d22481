#!/bin/sh
# What the one-node cluster of `make test-kubernetes` needs of this machine: as root on Debian its packages are installed,
# elsewhere each missing thing is named with its remedy.
set -e
lacking() {
  for pair in containerd:containerd runc:runc openssl:openssl iproute2:ip util-linux:nsenter util-linux:flock; do
    command -v "${pair#*:}" > /dev/null || echo "${pair%:*}"
  done
  { command -v busybox > /dev/null && ! ldd "$(command -v busybox)" > /dev/null 2>&1; } || echo busybox-static
  [ -x /usr/lib/cni/bridge ] || echo containernetworking-plugins
}
packages=$(lacking | sort -u | tr '\n' ' ')
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "installing for the test cluster: $packages"
  log=$(mktemp)
  # shellcheck disable=SC2086 # package names, separated by spaces
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y install --no-install-recommends $packages; } \
    > "$log" 2>&1 < /dev/null || { tail -20 "$log" >&2; exit 1; }
  rm -f "$log"
  packages=$(lacking | sort -u | tr '\n' ' ')
fi
PHOENIX_CLUSTER_PACKAGES=$packages exec sh setup/needs.sh cluster
