"""Names of components: which are deprecated or gone, and which may be run on a stranger's behalf.

The deprecated aliases are those that the pinned collector (0.155) itself warned about when it was run with them; the
removed ones are documented in the Collector's changelogs. The host metrics receiver is pinned at 0.149, where its type
is still `hostmetrics`: no warning for it.
"""

from __future__ import annotations

REPLACED: dict[tuple[str, str], str] = {
    ("exporters", "otlphttp"): "otlp_http",
    ("exporters", "otlp"): "otlp_grpc",
    ("exporters", "prometheusremotewrite"): "prometheus_remote_write",
    ("processors", "metricstransform"): "metrics_transform",
    ("exporters", "logging"): "debug",
    ("exporters", "jaeger"): "otlp_grpc (Jaeger takes OTLP)",
    ("exporters", "jaeger_thrift"): "otlp_http (Jaeger takes OTLP)",
    ("exporters", "opencensus"): "otlp_grpc",
    ("exporters", "loki"): "otlp_http (Loki takes OTLP)",
    ("exporters", "sapm"): "otlp_http",
    ("receivers", "opencensus"): "otlp",
    ("processors", "spanmetrics"): "the connector spanmetrics",
    ("processors", "servicegraph"): "the connector servicegraph",
    ("processors", "routing"): "the connector routing",
    ("processors", "datadog"): "the connector datadog",
    ("extensions", "memory_ballast"): "the environment variable GOMEMLIMIT",
}
"""(section, type) to what replaces it."""

SAFE_PROCESSORS = frozenset(
    (
        "attributes",
        "batch",
        "cumulativetodelta",
        "deltatocumulative",
        "filter",
        "groupbyattrs",
        "memory_limiter",
        "metrics_transform",
        "metricstransform",
        "resource",
        "transform",
    )
)
"""Processors that only compute: no file, no address, no process, no environment. Each was looked at for this list."""
SAFE_CONNECTORS = frozenset(("count", "forward"))
PROCESS_RECEIVERS = frozenset(("hostmetrics", "host_metrics"))


def kind_of(component: str) -> str:
    """The type of a component id: "filter/x" -> "filter"."""
    return component.partition("/")[0].strip()


def successor(section: str, kind: str) -> str:
    """What to write instead of a type that the collector does not know; "" when nothing is known."""
    replacement = REPLACED.get((section, kind))
    return f"{kind} is gone; use {replacement}" if replacement else ""
