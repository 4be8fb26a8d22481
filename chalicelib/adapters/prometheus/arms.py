"""What the arms' series say in a Prometheus, as parts of scrapes: how many samples of each arm lie in a short window.

A scrape's samples carry the scrape's own times. Windows a sixth of the interval long divide time without gap or
overlap, and hold at most one sample of a series, so that the series with a sample in a window are its samples: `count`
over `last_over_time`, which unlike `count_over_time` keeps the names of metrics apart. No lookback, no staleness and no
interpolation takes part. Whether a range includes its left end depends on the server (Prometheus 2: yes, 3: no); it is
asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.adapters.prometheus.answers import Series, matrix_of, scalar_of
from chalicelib.adapters.prometheus.client import PrometheusApi
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.experiment.source import Prometheus
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from chalicelib.ports.kpis import Asked

WINDOWS = 6
"""Windows in an interval."""
MAX_STEPS, MAX_HOSTS = 2000, 50
CRITICAL_STEPS, CRITICAL_HOSTS, MAX_PIDS = 500, 20, 200
"""Bounds of one question, so that its answer stays far below the client's limit and Prometheus' 11 000 steps."""
MAX_QUESTIONS = 200
READ_S = 30.0
"""Seconds that one reading may take, whatever the number of questions: a step has a minute on Lambda."""
T = TypeVar("T")
_PROBE_AT_MS = 1_000_000
_PROBE = "count_over_time(vector(0)[1s:1s])"
_NAME, _PID = "process_executable_name", "process_pid"
_ARMS = f"{Variant.BASELINE.value}|{Variant.CANDIDATE.value}"


@dataclass(frozen=True)
class _Grid:
    """Windows (at - width, at], milliseconds; at: multiples of width from first to last. reach: range in PromQL."""

    first: int
    last: int
    width: int
    reach: int

    def cut(self, steps: int) -> Iterator[_Grid]:
        """The same windows in pieces."""
        for first in range(self.first, self.last + 1, steps * self.width):
            yield _Grid(first, min(self.last, first + (steps - 1) * self.width), self.width, self.reach)


class PrometheusArms:
    """The KpiSource port over PromQL. api: the server; source: which labels its series carry; clock: monotonic
    seconds."""

    def __init__(self, api: PrometheusApi, source: Prometheus, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._source, self._clock = api, source, clock
        self._asked, self._until = 0, 0.0
        self._named: Mapping[str, str] = {}
        self._host: Mapping[str, str] = {}

    def arms(self, asked: Asked) -> list[Count]:
        """See the port. Raises Unavailable, also for a time so long that too many questions were needed."""
        self._asked, self._until = 0, self._clock() + READ_S
        self._named = {host: asked.named.get(host, host) for host in asked.spans}
        self._host = {name: host for host, name in self._named.items()}
        if len(self._host) < len(self._named):
            raise Unavailable("two of the hosts have the same name in Prometheus: their samples cannot be told apart")
        width = max(2, round(asked.interval_s * 1000 / WINDOWS))
        reach = width - 1 if self._closed() else width
        series: dict[tuple[str, Variant, int], int] = {}
        found: dict[tuple[str, Variant, int], list[CriticalProcess]] = {}
        for hosts in _chunks(sorted(asked.spans), MAX_HOSTS):
            for grid in _grid(asked, hosts, width, reach).cut(MAX_STEPS):
                series.update(self._series(hosts, grid))
        for hosts, pids in _with_pids(asked.critical, sorted(asked.spans)):
            for grid in _grid(asked, hosts, width, reach).cut(CRITICAL_STEPS):
                for key, process in self._critical(asked, hosts, pids, grid):
                    found.setdefault(key, []).append(process)
        return [
            Count(
                scope=asked.scope,
                host=host,
                variant=variant,
                start_ns=(at - width + 1) * 1_000_000,
                end_ns=at * 1_000_000 + 999_999,
                series=count,
                critical=tuple(found.get((host, variant, at), ())),
            )
            for (host, variant, at), count in series.items()
            if count
        ]

    def _closed(self) -> bool:
        """Whether a range of one second with points every second holds two of them."""
        self._count()
        held = scalar_of(self._api.query(_PROBE, _PROBE_AT_MS))
        if held not in (1, 2):
            raise Unavailable("Prometheus' answer does not fit the question: ranges that hold neither one nor two ends")
        return held == 2

    def _series(self, hosts: Sequence[str], grid: _Grid) -> Iterator[tuple[tuple[str, Variant, int], int]]:
        labels = (self._source.host_label, self._source.variant_label)
        for metric, points in self._matrix("", hosts, "", labels, grid, 2 * len(hosts)):
            host, variant = self._whose(metric, hosts)
            for at, count in points:
                yield (host, variant, at), count

    def _critical(
        self, asked: Asked, hosts: Sequence[str], pids: Sequence[int], grid: _Grid
    ) -> Iterator[tuple[tuple[str, Variant, int], CriticalProcess]]:
        wanted = {
            (host, process.name, str(process.pid)): process
            for host in hosts
            for process in asked.critical.get(host, frozenset())
        }
        labels = (self._source.host_label, self._source.variant_label, _NAME, _PID)
        only = f',{_PID}=~"{"|".join(map(str, pids))}"'
        # A pid may belong to a process of another name, and of each host's.
        most = 2 * len(hosts) * len(pids) * 4
        for metric, points in self._matrix(self._source.memory_metric, hosts, only, labels, grid, most):
            host, variant = self._whose(metric, hosts)
            process = wanted.get((host, metric[_NAME], metric[_PID]))
            if process is not None:
                yield from (((host, variant, at), process) for at, count in points if count)

    def _matrix(
        self, metric: str, hosts: Sequence[str], only: str, labels: Sequence[str], grid: _Grid, most: int
    ) -> Iterator[Series]:
        self._count()
        source = self._source
        matchers = [f'{source.variant_label}=~"{_ARMS}"', f'{source.host_label}=~"{self._any_of(hosts)}"']
        matchers += [f'{name}="{_quoted(value)}"' for name, value in source.match.items()]
        selected = f"{metric}{{{','.join(matchers)}{only}}}"
        promql = f"count by ({','.join(labels)}) (last_over_time({selected}[{grid.reach}ms]))"
        data = self._api.query_range(promql, grid.first, grid.last, grid.width)
        for found, points in matrix_of(data, frozenset(labels), most):
            if any(at % grid.width or not grid.first <= at <= grid.last for at, _ in points):
                raise Unavailable("Prometheus' answer does not fit the question: a time that was not asked for")
            yield found, points

    def _any_of(self, hosts: Sequence[str]) -> str:
        """A regular expression, inside a PromQL string: a node's name may have dots, and no other special character."""
        return "|".join(self._named[host].replace(".", "[.]") for host in hosts)

    def _whose(self, metric: Mapping[str, str], hosts: Sequence[str]) -> tuple[str, Variant]:
        host, variant = self._host.get(metric[self._source.host_label]), metric[self._source.variant_label]
        if host is None or host not in hosts or variant not in _ARMS.split("|"):
            raise Unavailable("Prometheus' answer does not fit the question: a host or an arm that was not asked for")
        return host, Variant(variant)

    def _count(self) -> None:
        self._asked += 1
        if self._clock() > self._until:
            raise Unavailable(f"reading from Prometheus took longer than {READ_S:g} s", hint="ask for a shorter time")
        if self._asked > MAX_QUESTIONS:
            raise Unavailable(
                f"more than {MAX_QUESTIONS} questions to Prometheus would be needed", hint="ask for a shorter time"
            )


def _grid(asked: Asked, hosts: Iterable[str], width: int, reach: int) -> _Grid:
    spans = [asked.spans[host] for host in hosts]
    start, end = min(start for start, _ in spans) // 1_000_000, max(end for _, end in spans) // 1_000_000
    return _Grid(-(-start // width) * width, -(-end // width) * width, width, reach)


def _with_pids(
    critical: Mapping[str, frozenset[CriticalProcess]], hosts: Sequence[str]
) -> Iterator[tuple[Sequence[str], list[int]]]:
    """Groups of hosts and pids, bounded. A host with very many pids comes more than once."""
    group: list[str] = []
    pids: set[int] = set()
    for host in hosts:
        own = sorted({process.pid for process in critical.get(host, ())})
        for few in _chunks(own, MAX_PIDS):
            if group and (len(pids | set(few)) > MAX_PIDS or len(group) >= CRITICAL_HOSTS or host in group):
                yield group, sorted(pids)
                group, pids = [], set()
            group.append(host)
            pids |= set(few)
    if group:
        yield group, sorted(pids)


def _chunks(of: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(of), size):
        yield of[start : start + size]


def _quoted(value: str) -> str:
    """Inside a PromQL string; the value is printable ASCII."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
