"""Requests as collectors send them to the measurement intake: captured ones, made those of another host and moment."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from chalicelib.domain.pipeline.kpi import CRITICAL_PROCESSES

CAPTURED = Path(__file__).resolve().parents[2] / "tests" / "unit" / "wire" / "data"
COUNTS, TELEMETRY = "counts", "telemetry"
FILES = {COUNTS: "counts.otlp.gz", TELEMETRY: "selfmetrics.otlp.gz"}
CRITICAL = 5
"""Critical processes of each of the three variants in a request of counts."""


def bodies(kind: str, host: str, scope: str, first_ns: int, step_ns: int) -> Iterator[bytes]:
    """Endless gzip requests of one host, each a scrape later than the one before: none repeats another."""
    request = ExportMetricsServiceRequest.FromString(gzip.decompress((CAPTURED / FILES[kind]).read_bytes()))
    for resource in request.resource_metrics:
        _rename(resource, {"phoenix.host": host, "phoenix.scope": scope})
    points = [point for resource in request.resource_metrics for point in _points(resource)]
    newest = max(point.time_unix_nano for point in points)
    shift = first_ns - newest
    while True:
        for point in points:
            point.time_unix_nano += shift
            point.start_time_unix_nano += shift
        shift = step_ns
        yield gzip.compress(request.SerializeToString(), 6, mtime=0)


def points_in(request: ExportMetricsServiceRequest) -> int:
    """Data points of a request."""
    return sum(
        len(getattr(metric, metric.WhichOneof("data") or "gauge").data_points)
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def _rename(resource: ResourceMetrics, values: dict[str, str]) -> None:
    for pair in resource.resource.attributes:
        if pair.key in values:
            pair.value.string_value = values[pair.key]


def _points(resource: ResourceMetrics) -> list[Any]:
    """All data points, after the critical processes beyond CRITICAL are gone."""
    found: list[Any] = []
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            points = getattr(metric, metric.WhichOneof("data") or "gauge").data_points
            if metric.name == CRITICAL_PROCESSES:
                del points[CRITICAL:]
            found += points
    return found
