"""A synthetic scrape as the OTLP request that the process scraper would have sent, and received requests as points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.domain.validation.outcome import Attributes, Point
from chalicelib.domain.validation.population import Process, Scrape

_SECOND = 1_000_000_000
_CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
_SCOPE = (
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver"
    "/internal/scraper/processscraper"
)


def request(scrape: Scrape) -> bytes:
    """One resource a process, as the scraper has it, and one of the host with a metric that is no process's."""
    out = ExportMetricsServiceRequest()
    for process in scrape.processes:
        _process(out.resource_metrics.add(), process, scrape.time_ns)
    host = out.resource_metrics.add()
    _point(_metric(host.scope_metrics.add(), "system.memory.usage", "By", False), scrape.time_ns, 2**33, state="used")
    return out.SerializeToString()


def _process(out: metrics_pb2.ResourceMetrics, process: Process, time: int) -> None:
    described: dict[str, str | int] = {
        "process.pid": process.pid,
        "process.parent_pid": 1,
        "process.executable.name": process.name,
        "process.executable.path": f"/usr/bin/{process.name}",
        "process.command": process.command_line.partition(" ")[0],
        "process.command_line": process.command_line,
        "process.owner": process.owner,
    }
    out.resource.attributes.extend(_pair(key, value) for key, value in described.items())
    scope = out.scope_metrics.add()
    scope.scope.name = _SCOPE
    start = time - process.age_s * _SECOND
    cpu = _metric(scope, "process.cpu.time", "s", True)
    for state, part in (("user", 0.7), ("system", 0.3), ("wait", 0.0)):
        _point(cpu, time, process.cpu_seconds * part, start, state=state)
    if process.utilization is not None:
        gauge = scope.metrics.add(name="process.cpu.utilization", unit="1")
        for state, part in (("user", 0.7), ("system", 0.3), ("wait", 0.0)):
            _point(gauge, time, process.utilization * part, start, state=state)
    _point(_metric(scope, "process.memory.usage", "By", False), time, process.memory, start)
    _point(_metric(scope, "process.memory.virtual", "By", False), time, process.memory * 3, start)
    disk = _metric(scope, "process.disk.io", "By", True)
    for direction in ("read", "write"):
        _point(disk, time, process.io_bytes, start, direction=direction)


def _metric(scope: metrics_pb2.ScopeMetrics, name: str, unit: str, monotonic: bool) -> metrics_pb2.Metric:
    metric = scope.metrics.add(name=name, unit=unit)
    metric.sum.aggregation_temporality = _CUMULATIVE
    metric.sum.is_monotonic = monotonic
    return metric


def _point(metric: metrics_pb2.Metric, time: int, value: int | float, start: int = 0, **attributes: str) -> None:
    data = metric.sum if metric.HasField("sum") else metric.gauge
    point = data.data_points.add(time_unix_nano=time, start_time_unix_nano=start)
    if isinstance(value, int):
        point.as_int = value
    else:
        point.as_double = value
    point.attributes.extend(_pair(key, text) for key, text in attributes.items())


def _pair(key: str, value: str | int) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value
    return pair


def points(received: ExportMetricsServiceRequest) -> Iterator[Point]:
    """Every data point of a request; of histograms and summaries their counts. Attributes that are no scalars are left
    out."""
    for resource in received.resource_metrics:
        described = _attributes(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield from _points(metric, described)


def _points(metric: metrics_pb2.Metric, resource: Attributes) -> Iterator[Point]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    counter = kind == "sum" and metric.sum.is_monotonic and metric.sum.aggregation_temporality == _CUMULATIVE
    for point in data.data_points:
        yield Point(
            metric=metric.name,
            resource=resource,
            attributes=_attributes(point.attributes),
            time_ns=point.time_unix_nano,
            start_ns=point.start_time_unix_nano,
            value=_value(point),
            counter=counter,
        )


def _value(point: Any) -> float:
    if isinstance(point, metrics_pb2.NumberDataPoint):
        return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)
    return float(point.count)


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    found = []
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            found.append((pair.key, getattr(pair.value, kind)))
    return tuple(sorted(found, key=lambda one: one[0]))
