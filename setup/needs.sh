#!/bin/sh
# Names what is missing on this machine, each in one line with its remedy. Usage: needs.sh demo|test|cluster
missing=0
lack() { echo "missing: $1 - $2" >&2; missing=1; }

[ "$(uname -s)" = Linux ] || lack "Linux" "the load generator and the host runtime need it; use a Linux machine or VM"
python=${PYTHON:-python3}
if ! command -v "$python" > /dev/null; then
  lack "Python 3.11 or newer" "install python3, or name it: make $1 PYTHON=/path/to/python3.11"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  lack "Python 3.11 or newer ($python is $("$python" -V 2>&1))" "install it and name it: make $1 PYTHON=python3.11"
elif ! "$python" -c 'import venv, ensurepip' 2> /dev/null; then
  lack "Python's venv module" "install your system's package for it, such as python3-venv"
fi
have() { command -v "$1" > /dev/null; }
built() { ls "${PHOENIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/phoenix}"/bin/*/"$1" > /dev/null 2>&1; }
if [ -z "$PHOENIX_OTELCOL" ] && ! have otelcol-contrib && ! have otelcol && ! have go && ! built otelcol; then
  lack "Go (builds the collector once)" "install Go 1.25 or newer from https://go.dev/dl/, or set PHOENIX_OTELCOL to a collector"
fi
if [ -z "$PHOENIX_OPAMPSUPERVISOR" ] && ! have opampsupervisor && ! have go && ! built opampsupervisor; then
  lack "Go (builds the OpAMP supervisor once)" "install Go 1.25 or newer, or set PHOENIX_OPAMPSUPERVISOR to a supervisor"
fi
if [ "$1" = test ] && [ -z "$PHOENIX_DYNOXIDE" ] && [ ! -x .tools/bin/dynoxide ] && ! have dynoxide; then
  have cargo || lack "cargo (builds the DynamoDB-compatible test engine once)" "install Rust 1.88 or newer from https://rustup.rs, or set PHOENIX_DYNOXIDE"
  have cc || lack "a C compiler (the test engine bundles SQLite)" "install gcc or clang"
fi
if [ "$1" = test ] && [ -z "$PHOENIX_PROMETHEUS" ] && [ ! -x .tools/bin/prometheus ] && ! have prometheus; then
  { have apt-get && have dpkg-deb; } || lack "Prometheus (metrics sources are tested against it)" "install it from https://prometheus.io/download/, or set PHOENIX_PROMETHEUS"
fi
if [ "$1" = test ] && ! { have node && node -e 'process.exit(+(parseInt(process.versions.node) < 20))'; }; then
  lack "Node.js 20 or newer (synthesises the infrastructure)" "install it from https://nodejs.org"
fi
if [ "$1" = cluster ]; then
  [ "$(id -u)" = 0 ] || lack "root" "the test cluster makes namespaces and cgroups; run make test-kubernetes as root"
  [ -e /sys/fs/cgroup/memory/cgroup.procs ] || lack "cgroup v1" "the test cluster's containerd uses its hierarchies; start Linux with systemd.unified_cgroup_hierarchy=0"
  [ -n "$PHOENIX_HYPERKUBE" ] || have go || lack "Go (builds Kubernetes once)" "install Go 1.25 or newer from https://go.dev/dl/"
  for package in $PHOENIX_CLUSTER_PACKAGES; do
    lack "$package" "install this Debian package (as root, make test-kubernetes does), or what it is called on your system"
  done
fi
exit $missing
