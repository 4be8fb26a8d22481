"""Reading what the KPI branch sent: counts per variant and scrape, and the collector's own telemetry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from tests.catalog.brute import Scrape, attributes_of, points_of


@dataclass
class Counted:
    """One variant in one scrape, as counted at the edge."""

    series: int = 0
    critical: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(pattern, name, pid) to how often."""


def counts(resources: Sequence[ResourceMetrics], scrapes: Sequence[Scrape]) -> dict[str, list[Counted]]:
    """By variant, one Counted for each scrape. AssertionError for a count of no scrape."""
    out: dict[str, list[Counted]] = {}
    for resource in resources:
        variant = attributes_of(resource.resource.attributes).get("phoenix.variant")
        if variant is None:
            continue
        of_variant = out.setdefault(variant, [Counted() for _ in scrapes])
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in points_of(metric):
                    scrape = _index(point.time_unix_nano, scrapes)
                    _add(of_variant[scrape], metric.name, attributes_of(point.attributes), point.as_int)
    return out


def _index(time: int, scrapes: Sequence[Scrape]) -> int:
    found = next((i for i, scrape in enumerate(scrapes) if scrape.start <= time <= scrape.end), None)
    assert found is not None, f"a count at {time} belongs to no scrape"
    return found


def _add(counted: Counted, metric: str, labels: dict[str, object], value: int) -> None:
    if metric == "phoenix.series":
        counted.series += value
    else:
        assert metric == "phoenix.critical.processes", f"{metric} was not asked for"
        key = (str(labels["phoenix.critical"]), str(labels["process.executable.name"]), labels["process.pid"])
        counted.critical[key] += value  # type: ignore[index]


def telemetry(resources: Sequence[ResourceMetrics]) -> list[ResourceMetrics]:
    """What the collector says about itself."""
    return [
        resource
        for resource in resources
        if any(metric.name.startswith("otelcol") for scope in resource.scope_metrics for metric in scope.metrics)
    ]
