"""Made-up scrapes with a history: counters that grow, processes that end, begin, take a freed pid, exec under another
name, wait, tie, become zombies, belong to the kernel. What live processes do seldom happens here all the time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, NumberDataPoint, ResourceMetrics

from tests.catalog.brute import HELPER
from tests.catalog.population import HOSTILE

PAGE = 4096
SECOND = 1_000_000_000
NAMES = (*HOSTILE, "nginx", "java", "postgres", "python3", "sh", "critical-1", "critical-2")
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


@dataclass
class Process:
    """One process between two scrapes."""

    pid: int
    parent: int
    name: str
    command_line: str
    start: int
    seen: bool = False
    disk: bool = True
    cpu: dict[str, float] = field(default_factory=lambda: {"user": 0.0, "system": 0.0, "wait": 0.0})
    share: dict[str, float] = field(default_factory=dict)
    io: dict[str, int] = field(default_factory=lambda: {"read": 0, "write": 0})
    pages: int = 1


class History:
    """A host's processes over time. start: Unix ns of the first scrape; processes there began an hour before it."""

    def __init__(self, seed: int, start: int, interval_ns: int, count: int, load: float = 1.0) -> None:
        self._random = random.Random(seed)
        self._interval = interval_ns
        self._load = load
        self.now = start
        self.reused = 0
        self.renamed = 0
        self._freed: list[tuple[int, str]] = []
        old = start - 3600 * SECOND
        self._all = [Process(1, 0, "init", "/sbin/init", old), Process(2, 0, "kthreadd", "", old, disk=False)]
        for pid in range(3, 9):
            self._all.append(Process(pid, 2, f"kworker/{pid}:0", "", old, disk=False))
        self._next = 9
        while len(self._all) < count:
            self._all.append(self._born(old))

    def scrape(self) -> ExportMetricsServiceRequest:
        """The next scrape, as the receiver hands it on; then time goes on to the one after."""
        request = ExportMetricsServiceRequest()
        for index, process in enumerate(self._all):
            request.resource_metrics.append(_reported(process, self.now + index * 1000))
            process.seen = True
        self.now += self._interval + self._random.randrange(-1_000_000, 1_000_000)
        self._live()
        return request

    def _live(self) -> None:
        chance = self._random
        for process in list(self._all):
            self._work(process)
            if process.pid > 8 and chance.random() < 0.06:
                self._all.remove(process)
                self._freed.append((process.pid, process.name))
                self._all.append(self._born(self.now - chance.randrange(self._interval)))
            elif process.pid > 8 and chance.random() < 0.02:
                process.name, self.renamed = chance.choice(NAMES), self.renamed + 1
            elif process.parent == 2 and chance.random() < 0.3:
                process.name = f"kworker/{process.pid}:{chance.randrange(9)}"
        self._all.sort(key=lambda one: one.pid)

    def _work(self, process: Process) -> None:
        chance = self._random
        for state in process.cpu:
            grown = chance.choice((0.0, 0.0, 0.01, 0.02, 0.5 * chance.random())) * self._load
            process.cpu[state] += grown
            process.share[state] = grown / 100
        for direction in process.io:
            process.io[direction] += chance.choice((0, 0, 1, 8, chance.randrange(10_000))) * 512
        if process.pid > 8:
            process.pages = chance.choice((0, 1, 5, 5, 9, process.pages, chance.randrange(1, 50_000)))

    def _born(self, start: int) -> Process:
        chance = self._random
        name = chance.choice(NAMES)
        if self._freed and chance.random() < 0.5:
            pid, before = self._freed.pop(chance.randrange(len(self._freed)))
            name = before if chance.random() < 0.5 else name
            self.reused += 1
        else:
            pid, self._next = self._next, self._next + chance.randrange(1, 5)
        zombie = chance.random() < 0.05
        command_line = "" if zombie else f"{name} --n={chance.randrange(1000)}"
        parent = 2 if chance.random() < 0.02 else 1
        return Process(pid, parent, name, command_line, start, disk=chance.random() < 0.7)


def _reported(process: Process, time: int) -> ResourceMetrics:
    resource = ResourceMetrics()
    attributes: dict[str, Any] = {
        "process.pid": process.pid,
        "process.parent_pid": process.parent,
        "process.executable.name": process.name,
        "process.executable.path": f"/usr/bin/{process.name}" if process.command_line else "",
        "process.command": process.command_line.partition(" ")[0],
        "process.command_line": process.command_line,
        "process.owner": "root" if process.pid % 5 else "user",
    }
    for key, value in attributes.items():
        held = AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
        resource.resource.attributes.append(KeyValue(key=key, value=held))
    scope = resource.scope_metrics.add()
    scope.scope.name = "made-up"

    def points(name: str, unit: str, monotonic: bool, label: str, values: dict[str, Any]) -> None:
        metric = scope.metrics.add(name=name, unit=unit)
        target = metric.gauge if name == HELPER else metric.sum
        if name != HELPER:
            metric.sum.aggregation_temporality, metric.sum.is_monotonic = _CUMULATIVE, monotonic
        for key, value in values.items():
            held = {"as_double": value} if isinstance(value, float) else {"as_int": value}
            point = NumberDataPoint(time_unix_nano=time, start_time_unix_nano=process.start, **held)
            if label:
                point.attributes.append(KeyValue(key=label, value=AnyValue(string_value=key)))
            target.data_points.append(point)

    points("process.cpu.time", "s", True, "state", process.cpu)
    points("process.memory.usage", "By", False, "", {"": process.pages * PAGE})
    points("process.memory.virtual", "By", False, "", {"": process.pages * PAGE * 3})
    if process.disk:
        points("process.disk.io", "By", True, "direction", process.io)
    if process.seen:
        points(HELPER, "1", False, "state", process.share)
    return resource
