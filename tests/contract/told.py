"""One truth, told to each source of an experiment's figures in that source's own way: the measurement store is given
the counts, a real Prometheus the very data points, by the real collector's remote write.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from tests.engines.prometheus import Prometheus

CRITICAL = "^nginx"


@dataclass(frozen=True)
class Process:
    """A process as one arm reports it in one scrape: two data points, its memory and its CPU time."""

    name: str
    pid: int

    @property
    def critical(self) -> bool:
        return self.name.startswith("nginx")


@dataclass(frozen=True)
class Told:
    """One arm's part of one scrape. start_ns, end_ns: of its oldest and newest data point."""

    host: str
    variant: Variant
    start_ns: int
    end_ns: int
    processes: Sequence[Process]

    def count(self, scope: str) -> Count:
        """As the edge counts it."""
        return Count(
            scope=scope,
            host=self.host,
            variant=self.variant,
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            series=2 * len(self.processes),
            critical=tuple(
                CriticalProcess(pattern="nginx", name=one.name, pid=one.pid) for one in self.processes if one.critical
            ),
        )


def send(url: str, told: Iterable[Told]) -> None:
    """To a collector's OTLP receiver, one request a scrape, in the order that they are in."""
    for one in told:
        request = ExportMetricsServiceRequest()
        for place, process in enumerate(one.processes):
            _resource(request, one, process, place)
        post = urllib.request.Request(  # noqa: S310 - loopback
            f"{url}/v1/metrics", request.SerializeToString(), {"Content-Type": "application/x-protobuf"}
        )
        with urllib.request.urlopen(post, timeout=30) as answer:  # noqa: S310
            assert answer.status == 200


def _resource(request: ExportMetricsServiceRequest, told: Told, process: Process, place: int) -> None:
    spread = max(1, len(told.processes) - 1)
    at = told.start_ns + (told.end_ns - told.start_ns) * place // spread
    resource = request.resource_metrics.add()
    texts = {
        "host.name": told.host,
        "phoenix.variant": told.variant.value,
        "process.executable.name": process.name,
    }
    for key, value in texts.items():
        resource.resource.attributes.add(key=key).value.string_value = value
    resource.resource.attributes.add(key="process.pid").value.int_value = process.pid
    scope = resource.scope_metrics.add()
    memory = scope.metrics.add(name="process.memory.usage", unit="By")
    memory.sum.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    memory.sum.data_points.add(time_unix_nano=at, as_int=1000 + process.pid)
    cpu = scope.metrics.add(name="process.cpu.time", unit="s")
    cpu.sum.aggregation_temporality, cpu.sum.is_monotonic = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE, True
    cpu.sum.data_points.add(time_unix_nano=at, start_time_unix_nano=at - 10**9, as_double=0.25 * process.pid)


def arrived(server: Prometheus, samples: int) -> None:
    """Wait until a Prometheus has so many samples of the arms."""
    deadline = time.monotonic() + 60
    while (found := held(server)) < samples:
        assert time.monotonic() < deadline, f"{found} of {samples} samples arrived"
        time.sleep(0.1)
    assert found == samples


def held(server: Prometheus) -> int:
    """Samples of the arms that a Prometheus has of the last hour."""
    metrics = ("process_memory_usage_bytes", "process_cpu_time_seconds_total")
    found = [server.query(f'sum(count_over_time({metric}{{phoenix_variant!=""}}[1h]))') for metric in metrics]
    return sum(int(one[0]["value"][1]) for one in found if one)
