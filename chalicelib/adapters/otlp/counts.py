"""The counts of the edge: `phoenix.series` and `phoenix.critical.processes` of one resource become Count values.

Half a count would be a lie (a critical process whose point is broken would look lost), so that anything wrong in one
refuses that whole count: absent, which the evaluation shows as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.adapters.otlp.points import DELTA, Tally, Unusable, attributes, data_of, number, text, whole, window
from chalicelib.domain.fleet.report import tidy
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from chalicelib.domain.pipeline.kpi import CRITICAL_PROCESSES, SERIES

MAX_CRITICAL = 2_000
"""Critical processes of one variant in one scrape."""
_VARIANT = "phoenix.variant"
_NAME, _PID, _PATTERN = "process.executable.name", "process.pid", "phoenix.critical"
_POINT_KEYS = frozenset((_NAME, _PID, _PATTERN))
_MAX_PID = 2**32


@dataclass(frozen=True)
class Origin:
    """Whose numbers these are, as the resource says."""

    scope: str
    host: str
    marker: str
    variant: str = ""


def read_counts(origin: Origin, metrics: list[metrics_pb2.Metric], tally: Tally) -> list[Count]:
    """The counts of one resource: one for each point of phoenix.series. Raises Unusable when nothing of it is sound."""
    if origin.variant not in set(Variant):
        raise Unusable(f"{_VARIANT} is none of {', '.join(Variant)}")
    series: dict[tuple[int, int], int] = {}
    for metric in metrics:
        if metric.name == SERIES:
            _add_series(metric, series, tally)
    critical: dict[tuple[int, int], list[CriticalProcess]] = {window: [] for window in series}
    for metric in metrics:
        if metric.name == CRITICAL_PROCESSES:
            _add_critical(metric, critical, tally)
    return [
        Count(
            scope=origin.scope,
            host=origin.host,
            variant=Variant(origin.variant),
            start_ns=start,
            end_ns=end,
            series=series[start, end],
            critical=tuple(critical[start, end]),
            marker=origin.marker,
        )
        for start, end in series
    ]


def _add_series(metric: metrics_pb2.Metric, series: dict[tuple[int, int], int], tally: Tally) -> None:
    points = data_of(metric, "sum", DELTA)
    tally.see(len(points))
    for point in points:
        key = window(point, SERIES)
        series[key] = series.get(key, 0) + whole(number(point, SERIES), SERIES)


def _add_critical(
    metric: metrics_pb2.Metric, critical: dict[tuple[int, int], list[CriticalProcess]], tally: Tally
) -> None:
    points = data_of(metric, "sum", DELTA)
    tally.see(len(points))
    for point in points:
        key = window(point, CRITICAL_PROCESSES)
        if key not in critical:
            raise Unusable(f"{CRITICAL_PROCESSES} without {SERIES} of the same time")
        if number(point, CRITICAL_PROCESSES) > 0:
            critical[key].append(_process(attributes(point.attributes, _POINT_KEYS)))
        if len(critical[key]) > MAX_CRITICAL:
            raise Unusable(f"more than {MAX_CRITICAL} critical processes in one scrape")


def _process(said: dict[str, Any]) -> CriticalProcess:
    pid = said.get(_PID)
    if not isinstance(pid, int) or not 0 <= pid < _MAX_PID:
        raise Unusable(f"{_PID} of a critical process is missing or no process id")
    name = said.get(_NAME, "")
    return CriticalProcess(
        pattern=text(said, _PATTERN, 64), name=tidy(name if isinstance(name, str) else "", 256), pid=pid
    )
