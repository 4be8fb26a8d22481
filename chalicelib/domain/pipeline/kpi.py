"""The KPI branch: what counts series and critical processes at the edge, per variant and for the raw stream.

Counting happens on copies of the streams; nothing here touches what an arm sends.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline import ottl, parts
from chalicelib.domain.pipeline.request import TOKEN_VARIABLE, Kpi

SERIES = "phoenix.series"
CRITICAL_PROCESSES = "phoenix.critical.processes"
FILTER_PROCESSOR = "filter/kpi"
RESOURCE_PROCESSOR = "resource/kpi"
EXPORTER = "otlp_http/control"
_QUEUED_REQUESTS = 1000
_RETRY_S = 3600
_LABELS = ("process.executable.name", "process.pid", "phoenix.critical")


def transform(variant: Variant) -> dict[str, Any]:
    """Carries the identity of critical processes on their memory point and makes all resources of the variant
    equal, so that they merge into one and count gives one number."""
    labels = [f'set(datapoint.attributes["{key}"], resource.attributes["{key}"])' for key in _LABELS]
    return parts.transform(
        [
            {
                "context": "datapoint",
                "conditions": [
                    'metric.name == "process.memory.usage" and resource.attributes["phoenix.critical"] != nil'
                ],
                "statements": labels,
            },
            {
                "context": "resource",
                "statements": [
                    "keep_keys(resource.attributes, [])",
                    f'set(resource.attributes["phoenix.variant"], {ottl.text(variant.value)})',
                ],
            },
        ]
    )


def count() -> dict[str, Any]:
    """The count connector: all data points, and one per critical process by pattern, name and pid."""
    return {
        "datapoints": {
            SERIES: {"description": "Data points of one scrape = active series."},
            CRITICAL_PROCESSES: {
                "description": "Critical processes of one scrape.",
                "conditions": [
                    'metric.name == "process.memory.usage" and datapoint.attributes["phoenix.critical"] != nil'
                ],
                "attributes": [{"key": key} for key in sorted(_LABELS)],
            },
        }
    }


def only_ours() -> dict[str, Any]:
    """Drops metric.count, which the connector adds unasked: a count of metric names is no cardinality."""
    return parts.drop_metrics(["metric.count"])


def resource(kpi: Kpi) -> dict[str, Any]:
    """Whose counts these are; the marker joins them when the configuration is stamped."""
    return parts.resource([("upsert", "phoenix.scope", kpi.scope), ("upsert", "phoenix.host", kpi.host)])


def exporter(kpi: Kpi, interval_s: float) -> dict[str, Any]:
    """OTLP/HTTP to the control plane. Queue and retry outlast an absent control plane for an hour of scrapes at
    most; when the queue is full new counts are dropped, and no arm waits."""
    return {
        "metrics_endpoint": ottl.plain(kpi.url),
        "headers": {"authorization": f"Bearer ${{env:{TOKEN_VARIABLE}}}"},
        "sending_queue": parts.queue(interval_s, _QUEUED_REQUESTS),
        "retry_on_failure": parts.retry(_RETRY_S),
    }
