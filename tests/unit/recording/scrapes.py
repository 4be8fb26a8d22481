"""Scrapes for tests of recordings: a few processes with one metric each."""

from __future__ import annotations

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from phoenix_cli.recording.form import Header

HEADER = Header(host="web-1", interval_s=15, started_at=1.0e9, collector_started_ns=10**18)


def scrape(*command_lines: str, time_ns: int = 10**18, name: str = "nginx") -> ExportMetricsServiceRequest:
    """One process per command line, pids from 1."""
    request = ExportMetricsServiceRequest()
    for number, command_line in enumerate(command_lines, start=1):
        resource = request.resource_metrics.add()
        said = {"process.executable.name": name, "process.command_line": command_line, "process.owner": "www"}
        resource.resource.attributes.append(KeyValue(key="process.pid", value=AnyValue(int_value=number)))
        for key, text in said.items():
            resource.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
        metric = resource.scope_metrics.add().metrics.add(name="process.memory.usage", unit="By")
        metric.sum.data_points.add(time_unix_nano=time_ns, start_time_unix_nano=time_ns - 10**9, as_int=4096)
    return request


def command_lines(request: ExportMetricsServiceRequest) -> list[str]:
    """What processes say of themselves, in order."""
    pairs = (pair for one in request.resource_metrics for pair in one.resource.attributes)
    return [pair.value.string_value for pair in pairs if pair.key == "process.command_line"]
