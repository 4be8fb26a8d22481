"""The data points of a scrape, counted: how many, of which processes and names, and which series. No meaning is added.

Used for recordings and for what collectors send; both may hold anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

NAME, PID = "process.executable.name", "process.pid"
MAX_SERIES = 1_000_000
"""Different series that are remembered; beyond, a count of them is a lower bound."""
MAX_PIDS = 1_000_000
"""Different pids that are remembered, likewise."""
MAX_NAMES = 300_000
"""Different executable names of one recording."""


@dataclass
class Counted:
    """One scrape of one stream. by_name: points by executable name ("" for those without one)."""

    points: int = 0
    by_name: Counter[str] = field(default_factory=Counter)
    processes: int = 0
    first_ns: int = 0
    last_ns: int = 0


def count(request: ExportMetricsServiceRequest, series: set[int], without: Collection[str] = ()) -> Counted:
    """Count a scrape, and add its series to `series`, by hash. without: metrics that do not count."""
    out = Counted()
    for resource in request.resource_metrics:
        attributes = {pair.key: value(pair) for pair in resource.resource.attributes}
        identity = hash(tuple(sorted((key, repr(held)) for key, held in attributes.items())))
        points = 0
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name not in without:
                    points += _metric(metric, identity, series, out)
        if points:
            name = attributes.get(NAME, "")
            out.by_name[name if isinstance(name, str) else repr(name)] += points
            out.points += points
            out.processes += PID in attributes
    return out


def data_points(metric: Metric) -> Iterable[Any]:
    """The points of a metric of any kind."""
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def value(pair: KeyValue) -> Any:
    """An attribute's value; None for one that is no scalar."""
    kind = pair.value.WhichOneof("value")
    return getattr(pair.value, kind) if kind in ("string_value", "int_value", "double_value", "bool_value") else None


def _metric(metric: Metric, identity: int, series: set[int], out: Counted) -> int:
    number = 0
    for point in data_points(metric):
        number += 1
        time = point.time_unix_nano
        out.first_ns = min(out.first_ns or time, time)
        out.last_ns = max(out.last_ns, time)
        if len(series) < MAX_SERIES:
            labels = tuple(sorted((pair.key, repr(value(pair))) for pair in point.attributes))
            series.add(hash((identity, metric.name, labels)))
    return number
