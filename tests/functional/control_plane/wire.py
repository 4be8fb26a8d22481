"""What supervisors and collectors put on the wire: OpAMP and OTLP protobuf. No behaviour, no control plane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opentelemetry._opamp.proto import opamp_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2

CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x800 | 0x1000 | 0x2000
DELTA = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
SECOND = 1_000_000_000

Process = tuple[str, str, int]
"""Pattern id, process name, pid."""


@dataclass(frozen=True)
class Stream:
    """One variant's output in one scrape."""

    variant: str
    series: int
    critical: tuple[Process, ...] = ()


def hello(message: opamp_pb2.AgentToServer, version: str = "0.155.0") -> None:
    """Add the description that a supervisor sends first."""
    message.agent_description.identifying_attributes.add(key="service.version").value.string_value = version
    message.agent_description.non_identifying_attributes.add(key="os.type").value.string_value = "linux"


def counts(
    identity: Mapping[str, str], streams: Iterable[Stream], at: float
) -> metrics_service_pb2.ExportMetricsServiceRequest:
    """One request as the edge sends it after a scrape that ended at `at` (Unix seconds by the host's clock)."""
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    start, end = int((at - 0.05) * SECOND), int(at * SECOND)
    for stream in streams:
        resource = request.resource_metrics.add()
        for key, value in {**identity, "phoenix.variant": stream.variant}.items():
            resource.resource.attributes.add(key=key).value.string_value = value
        metrics = resource.scope_metrics.add().metrics
        series = metrics.add(name="phoenix.series").sum
        series.aggregation_temporality = DELTA
        series.data_points.add(start_time_unix_nano=start, time_unix_nano=end, as_int=stream.series)
        if not stream.critical:
            continue
        found = metrics.add(name="phoenix.critical.processes").sum
        found.aggregation_temporality = DELTA
        for pattern, name, pid in stream.critical:
            point = found.data_points.add(start_time_unix_nano=start, time_unix_nano=end, as_int=1)
            point.attributes.add(key="phoenix.critical").value.string_value = pattern
            point.attributes.add(key="process.executable.name").value.string_value = name
            point.attributes.add(key="process.pid").value.int_value = pid
    return request


def own_metrics(
    identity: Mapping[str, str], started: float, at: float, cpu_seconds: float, rss: int
) -> metrics_service_pb2.ExportMetricsServiceRequest:
    """The collector's telemetry about itself."""
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in identity.items():
        resource.resource.attributes.add(key=key).value.string_value = value
    metrics = resource.scope_metrics.add().metrics
    times = {"start_time_unix_nano": int(started * SECOND), "time_unix_nano": int(at * SECOND)}
    cpu = metrics.add(name="otelcol_process_cpu_seconds").sum
    cpu.aggregation_temporality = CUMULATIVE
    cpu.data_points.add(**times, as_double=cpu_seconds)
    metrics.add(name="otelcol_process_memory_rss").gauge.data_points.add(**times, as_int=rss)
    return request
