"""Reading hostile data points: one number, one text, or a reason why not. Meaning is for counts and selfmetrics."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2

MAX_POINTS = 20_000
"""Of ours in one request: far more than one scrape of the largest host."""
DELTA = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
_MAX_TIME_NS = 2**62


class Unusable(Exception):
    """Why a point or a resource is refused, in words fit for the sender. Never leaves this package."""


class Tally:
    """What was taken and refused in one request; lives for one decoding."""

    def __init__(self) -> None:
        self.seen = 0
        self.refused = 0
        self.reasons: dict[str, None] = {}

    def see(self, points: int) -> None:
        """Count points of ours. Raises Unusable beyond MAX_POINTS."""
        self.seen += points
        if self.seen > MAX_POINTS:
            raise Unusable(f"more than {MAX_POINTS} points in one request")

    def refuse(self, error: Unusable, metrics: Iterable[metrics_pb2.Metric]) -> None:
        """Remember the refusal of all points of these metrics; at most 10 different reasons are kept."""
        self.refused += sum(size(metric) for metric in metrics)
        if len(self.reasons) < 10:
            self.reasons[str(error)] = None


def size(metric: metrics_pb2.Metric) -> int:
    """Number of data points, at least one."""
    kind = metric.WhichOneof("data")
    return max(len(getattr(metric, kind).data_points), 1) if kind else 1


def attributes(pairs: Iterable[common_pb2.KeyValue], wanted: frozenset[str]) -> dict[str, Any]:
    """The wanted attributes that are text or whole numbers; the first of a name wins."""
    out: dict[str, Any] = {}
    for pair in pairs:
        if pair.key not in wanted or pair.key in out:
            continue
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "int_value"):
            out[pair.key] = getattr(pair.value, kind)
    return out


def text(attributes: dict[str, Any], key: str, longest: int, required: bool = True) -> str:
    """A text attribute. Raises Unusable when it is missing, no text, or too long: an identity is never cut."""
    value = attributes.get(key, "")
    if not isinstance(value, str) or (required and not value):
        raise Unusable(f"{key} is missing or no text")
    if len(value) > longest:
        raise Unusable(f"{key} is longer than {longest} characters")
    return value


def data_of(metric: metrics_pb2.Metric, kind: str, temporality: int | None) -> Any:
    """The data points of a metric of this kind ("sum", "gauge", "histogram") and temporality. Raises Unusable."""
    if metric.WhichOneof("data") != kind:
        raise Unusable(f"{metric.name} is no {kind}")
    data = getattr(metric, kind)
    if temporality is not None and data.aggregation_temporality != temporality:
        raise Unusable(f"{metric.name} is not {'delta' if temporality == DELTA else 'cumulative'}")
    return data.data_points


def number(point: metrics_pb2.NumberDataPoint, name: str) -> float:
    """The value. Raises Unusable for none, a negative one, NaN, or infinity."""
    kind = point.WhichOneof("value")
    return finite(getattr(point, kind), name) if kind else finite(math.nan, name)


def finite(value: float, name: str) -> float:
    """The value, if it is a finite number from 0. Raises Unusable."""
    if not math.isfinite(value) or value < 0:
        raise Unusable(f"{name} has a value that is no finite number from 0")
    return value


def whole(value: float, name: str) -> int:
    """The value as a whole number. Raises Unusable."""
    if value != int(value) or value >= 2**63:
        raise Unusable(f"{name} has a value that is no whole number")
    return int(value)


def window(point: Any, name: str) -> tuple[int, int]:
    """Start and end in Unix nanoseconds. Raises Unusable for an end that is missing, absurd, or before the start."""
    start, end = int(point.start_time_unix_nano), int(point.time_unix_nano)
    if not 0 < end < _MAX_TIME_NS or start > end:
        raise Unusable(f"{name} has no sound start and end time")
    return start or end, end
