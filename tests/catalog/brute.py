"""Brute force: what each pipeline must send for a scrape, computed in Python from the raw stream of that scrape.

Nothing is shared with the collector's configuration but the documented rules.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint, ResourceMetrics

from chalicelib.domain.critical import CriticalPattern

HELPER = "process.cpu.utilization"
STAMPED = ("phoenix.variant", "host.name")


@dataclass(frozen=True)
class Row:
    """One data point with everything that identifies and describes it."""

    identity: tuple[Any, ...]
    time: int
    pid: int
    name: str
    metric: str
    state: str
    direction: str
    start: int
    value: int | float


@dataclass
class Scrape:
    """The rows of one scrape; processes by pid."""

    start: int
    end: int
    rows: list[Row] = field(default_factory=list)
    attributes: dict[int, dict[str, Any]] = field(default_factory=dict)

    def pids(self) -> set[int]:
        return {row.pid for row in self.rows}

    def without_helper(self) -> list[Row]:
        return [row for row in self.rows if row.metric != HELPER]


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in pairs}


def points_of(metric: Metric) -> Iterable[NumberDataPoint]:
    return metric.sum.data_points if metric.WhichOneof("data") == "sum" else metric.gauge.data_points


def rows_of(resources: Sequence[ResourceMetrics]) -> list[tuple[Row, dict[str, Any]]]:
    """Every point of the process scraper, with its resource's attributes (without what the output is stamped with)."""
    out = []
    for resource in resources:
        attributes = attributes_of(resource.resource.attributes)
        kept = {key: value for key, value in attributes.items() if key not in STAMPED}
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                about = _About(tuple(sorted(kept.items())), scope.scope.name, metric)
                out += [(_row(kept, about, point), kept) for point in points_of(metric)]
    return out


class _About:
    """What all points of one metric of one process share."""

    def __init__(self, attributes: tuple[Any, ...], scope: str, metric: Metric) -> None:
        self.name = metric.name
        self.identity = (
            attributes,
            scope,
            (metric.name, metric.unit, metric.description, metric.WhichOneof("data")),
            (metric.sum.aggregation_temporality, metric.sum.is_monotonic),
        )


def _row(attributes: dict[str, Any], about: _About, point: NumberDataPoint) -> Row:
    value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
    labels = attributes_of(point.attributes)
    identity = (
        *about.identity,
        tuple(sorted(labels.items())),
        (type(value).__name__, value, point.start_time_unix_nano, point.time_unix_nano),
    )
    return Row(
        identity=identity,
        time=point.time_unix_nano,
        pid=attributes.get("process.pid", -1),
        name=attributes.get("process.executable.name", ""),
        metric=about.name,
        state=labels.get("state", ""),
        direction=labels.get("direction", ""),
        start=point.start_time_unix_nano,
        value=value,
    )


def scrapes_of(resources: Sequence[ResourceMetrics]) -> list[Scrape]:
    """The raw stream cut into scrapes: a new one begins where a process is read that was read before at another time.

    The first process to be read is always the same one (pid 1), so that no scrape begins late. Gaps in time would not
    do: on a busy machine a late scrape can end right before the next one begins.
    """
    scrapes: list[Scrape] = []
    read_at: dict[int, int] = {}
    for row, attributes in sorted(rows_of(resources), key=lambda pair: pair[0].time):
        if read_at.setdefault(row.pid, row.time) != row.time or not scrapes:
            scrapes.append(Scrape(row.time, row.time))
            read_at = {row.pid: row.time}
        scrapes[-1].end = row.time
        scrapes[-1].rows.append(row)
        scrapes[-1].attributes[row.pid] = attributes
    return scrapes


def by_scrape(resources: Sequence[ResourceMetrics], scrapes: Sequence[Scrape]) -> list[list[Row]]:
    """An arm's rows, given to the raw scrape that they were read in. AssertionError for a row of no scrape."""
    out: list[list[Row]] = [[] for _ in scrapes]
    starts = [scrape.start for scrape in scrapes]
    for row, _ in rows_of(resources):
        index = bisect_right(starts, row.time) - 1
        assert index >= 0, f"a row at {row.time} is older than every raw scrape"
        assert row.time <= scrapes[index].end, f"a row at {row.time} belongs to no raw scrape"
        out[index].append(row)
    return out


def identities(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """Rows as a multiset, so that a duplicate counts."""
    return Counter(row.identity for row in rows)


def pattern_of(attributes: dict[str, Any], critical: Sequence[CriticalPattern]) -> str | None:
    """Id of the first critical pattern that matches, by the documented rules."""
    for pattern in critical:
        if pattern.name is not None and re.search(pattern.name, attributes.get("process.executable.name") or ""):
            return pattern.id
        if pattern.command_line is not None and re.search(
            pattern.command_line, attributes.get("process.command_line") or ""
        ):
            return pattern.id
        if pattern.owner is not None and pattern.owner == attributes.get("process.owner"):
            return pattern.id
    return None


def criticals(scrape: Scrape, critical: Sequence[CriticalPattern]) -> dict[int, str]:
    """Pid to pattern id of every critical process."""
    found = {pid: pattern_of(attributes, critical) for pid, attributes in scrape.attributes.items()}
    return {pid: pattern for pid, pattern in found.items() if pattern is not None}


def scores(scrape: Scrape) -> tuple[dict[int, float], dict[int, float]]:
    """CPU share of the host (without waiting) and resident bytes, by pid; processes without either have 0."""
    cpu: dict[int, float] = defaultdict(float)
    memory: dict[int, float] = defaultdict(float)
    for row in scrape.rows:
        cpu[row.pid] += row.value if row.metric == HELPER and row.state != "wait" else 0.0
        memory[row.pid] += float(row.value) if row.metric == "process.memory.usage" else 0.0
    return cpu, memory


def in_order(scrape: Scrape) -> list[int]:
    """Pids in the order in which they were read; adding floating-point numbers depends on it."""
    return list(dict.fromkeys(row.pid for row in scrape.rows))


def top_k(
    scrape: Scrape,
    k: int,
    critical: Sequence[CriticalPattern],
    memory_floor: int = 0,
    disk: Mapping[int, int] | None = None,
) -> set[int]:
    """Pids that process-topk-v1 keeps: the k first by CPU, the k first by memory, the k first by disk I/O (who has none
    is not ranked), the lower pid first among equals (CPU shares closer than pid × 10^-14 are equal), and all criticals.
    Who has no CPU and less memory than the floor does not compete."""
    cpu, memory = scores(scrape)
    marked = set(criticals(scrape, critical))
    compete = {pid for pid in scrape.pids() if pid in marked or cpu[pid] > 0 or memory[pid] >= memory_floor}
    by_cpu = sorted((pid for pid in compete if cpu[pid] > 0), key=lambda pid: pid * 1e-14 - cpu[pid])[:k]
    by_memory = sorted((pid for pid in compete if memory[pid] > 0), key=lambda pid: (-memory[pid], pid))[:k]
    worked = disk or {}
    by_disk = sorted((pid for pid in compete if worked.get(pid, 0) > 0), key=lambda pid: (-worked[pid], pid))[:k]
    return set(by_cpu) | set(by_memory) | set(by_disk) | marked


def over_thresholds(scrape: Scrape, cpu_min: float, memory_min: int, critical: Sequence[CriticalPattern]) -> set[int]:
    """Pids that process-priority-filter-v1 keeps."""
    cpu, memory = scores(scrape)
    big = {pid for pid in scrape.pids() if cpu[pid] >= cpu_min or memory[pid] >= memory_min}
    return big | set(criticals(scrape, critical))
