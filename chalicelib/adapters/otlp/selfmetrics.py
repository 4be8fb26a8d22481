"""The collector's telemetry about itself: the few metrics we use of one resource become one CollectorSample.

Names as collector 0.155 pushes them over OTLP (verified on captured requests, tests/unit/wire/data).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.adapters.otlp.counts import Origin
from chalicelib.adapters.otlp.points import (
    CUMULATIVE,
    Tally,
    Unusable,
    attributes,
    data_of,
    finite,
    number,
    text,
    whole,
    window,
)
from chalicelib.domain.measurement import CollectorSample, ExporterCounters

MAX_EXPORTERS = 32
_EXPORTER = "exporter"
_CPU, _RSS = "otelcol_process_cpu_seconds", "otelcol_process_memory_rss"
_ACCEPTED, _REFUSED = "otelcol_receiver_accepted_metric_points", "otelcol_receiver_refused_metric_points"
_SENT, _BYTES = "otelcol_exporter_sent_metric_points", "otelcol_exporter_queue_batch_send_size_bytes"
_FAILED = ("otelcol_exporter_send_failed_metric_points", "otelcol_exporter_enqueue_failed_metric_points")
_EXPORTER_FIELDS = {_SENT: "sent_points", _BYTES: "sent_bytes", **dict.fromkeys(_FAILED, "failed_points")}
NAMES = frozenset((_CPU, _RSS, _ACCEPTED, _REFUSED, *_EXPORTER_FIELDS))


@dataclass
class _Sums:
    """Sums while they are gathered; lives for one resource. Points of one metric differ in attributes: add them."""

    process: dict[str, float] = field(default_factory=dict)
    exporters: dict[str, dict[str, int]] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0

    def span(self, start: int, end: int) -> None:
        """Instruments begin microseconds apart; the oldest stands for the collector's start."""
        self.start_ns = min(self.start_ns or start, start)
        self.end_ns = max(self.end_ns, end)


def read_sample(origin: Origin, metrics: list[metrics_pb2.Metric], tally: Tally) -> CollectorSample | None:
    """One sample, None when nothing of it is sound. A metric with a bad point is refused whole, the others stand."""
    sums = _Sums()
    for metric in metrics:
        try:
            _add(metric, sums, tally)
        except Unusable as e:
            tally.refuse(e, (metric,))
    if not sums.end_ns:
        return None
    cpu, rss, accepted, refused = (sums.process.get(name) for name in (_CPU, _RSS, _ACCEPTED, _REFUSED))
    return CollectorSample(
        scope=origin.scope,
        host=origin.host,
        time_ns=sums.end_ns,
        start_ns=sums.start_ns,
        cpu_seconds=cpu,
        rss_bytes=None if rss is None else int(rss),
        accepted_points=None if accepted is None else int(accepted),
        refused_points=None if refused is None else int(refused),
        exporters={name: ExporterCounters(**values) for name, values in sums.exporters.items()},
        marker=origin.marker,
    )


def _add(metric: metrics_pb2.Metric, sums: _Sums, tally: Tally) -> None:
    name = metric.name
    kind = "histogram" if name == _BYTES else "gauge" if name == _RSS else "sum"
    points = data_of(metric, kind, None if kind == "gauge" else CUMULATIVE)
    tally.see(len(points))
    taken = [(_exporter(point, name), _value(point, name), *window(point, name)) for point in points]
    new = {exporter for exporter, *_ in taken if exporter} - set(sums.exporters)
    if len(sums.exporters) + len(new) > MAX_EXPORTERS:
        raise Unusable(f"more than {MAX_EXPORTERS} exporters")
    for exporter, value, start, end in taken:
        sums.span(start, end)
        if exporter:
            counters = sums.exporters.setdefault(exporter, {})
            field_name = _EXPORTER_FIELDS[name]
            counters[field_name] = counters.get(field_name, 0) + whole(value, name)
        else:
            sums.process[name] = sums.process.get(name, 0) + value


def _exporter(point: Any, name: str) -> str:
    if name not in _EXPORTER_FIELDS:
        return ""
    return text(attributes(point.attributes, frozenset((_EXPORTER,))), _EXPORTER, 128)


def _value(point: Any, name: str) -> float:
    value = finite(point.sum, name) if name == _BYTES else number(point, name)
    return value if name == _CPU else whole(value, name)
