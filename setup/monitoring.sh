#!/bin/sh
# Prometheus operator's definitions of ServiceMonitor and PrometheusRule for the chart's tests, in .tools/monitoring: those
# of its Go module (the module proxy; a few seconds). Its sum is checked by Go, and again against the one that is kept here.
set -e
module=github.com/prometheus-operator/prometheus-operator version=v0.85.0
sum='h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s='
to=.tools/monitoring
command -v go > /dev/null || { echo "Prometheus operator's definitions: install Go 1.25 or newer to fetch them" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && GOWORK=off GOFLAGS=-mod=mod go mod download -json "$module@$version") > "$work/said" || { cat "$work/said" >&2; exit 1; }
field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$work/said"; }
[ "$(field Sum)" = "$sum" ] || { echo "Prometheus operator's definitions: $version has the sum $(field Sum), not $sum" >&2; exit 1; }
mkdir -p "$work/$to"
for kind in servicemonitors prometheusrules; do
  install -m 644 "$(field Dir)/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$work/$to/$kind.yaml"
done
mkdir -p .tools
rm -rf "$to"
mv "$work/$to" "$to"
