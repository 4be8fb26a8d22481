"""Every pipeline and rival behind one collector, on the same scrapes: what each sends, how large it is on the wire,
whether the criticals are there, and how often it differs from what it promises.

A pipeline's promise is its rule in tests/catalog/rules.py, computed from the raw stream of the same scrape; a mismatch
is a row or a sum that is missing, too many or another. A rival with a receiver of its own scrapes at its own moment;
its processes are compared with those of the raw scrape nearest in time that were there throughout.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from bench.catalog.subjects import (
    CASES,
    CPU_MIN,
    EXCLUDE,
    HEAVY,
    INCLUDE,
    MEMORY_MIN,
    ONE_OF,
    THRESHOLD,
    Look,
    Rival,
    beside,
    rivals,
)
from bench.instruments import arms
from bench.instruments.receiver import Receiver
from bench.instruments.running import BenchFailed, collector
from chalicelib.adapters.catalog.files import FileCatalog
from tests.catalog import brute, many, rules
from tests.catalog.brute import HELPER, Row, Scrape

DEADLINE_S = 90.0
FEWEST = 3
TOLERATED = 0.1


@dataclass(frozen=True)
class Shown:
    """What one subject sent in all scrapes of a run. series: points a scrape; wire: bytes of the requests a scrape;
    kept of wanted: critical processes over all scrapes; mismatches: of its promise, over all scrapes."""

    series: float
    wire: float
    kept: int
    wanted: int
    mismatches: int
    why: str = ""
    """One mismatch in words, for the log."""


@dataclass(frozen=True)
class Run:
    """One run: its scrapes, live processes in them, and what each subject showed, by name."""

    scrapes: int
    processes: int
    shown: dict[str, Shown]


def run(binary: Path, look: Look, interval_s: float, scrapes: int, folder: Path) -> Run:
    """Run until so many scrapes came in, the first included. Raises BenchFailed."""
    catalog = FileCatalog(arms.CATALOG)
    others = rivals(look)
    with Receiver() as receiver:
        config = many.config_of(CASES, catalog, arms.CRITICAL, interval_s, receiver.url)
        for index, rival in enumerate(others):
            beside(config, rival, index, interval_s, f"{receiver.url}/rival/{index}")
        launched = time.time_ns()
        with collector(binary, config, folder):
            _wait(receiver, scrapes, DEADLINE_S + scrapes * interval_s)
    raw = brute.scrapes_of(_resources(receiver, many.RAW))
    if len(raw) < FEWEST:
        raise BenchFailed(f"only {len(raw)} scrapes: the machine is too busy")
    around = rules.Around(round(interval_s * 1e9), arms.CRITICAL)
    wanted = [set(brute.criticals(scrape, arms.CRITICAL)) for scrape in raw]
    shown = {}
    for index, case in enumerate(CASES):
        rows = brute.by_scrape(_resources(receiver, f"/{index}"), raw)
        wrong = many.differences_live(case, around, launched, raw, rows)
        found = [f"{what}: {count}" for what, count in wrong] + many.falls(rows)
        count = sum(count for _, count in wrong) + len(many.falls(rows))
        shown[case.pipeline] = _shown(receiver, f"/{index}", rows, wanted, count, found)
    for index, rival in enumerate(others):
        path = f"/rival/{index}"
        rows = _nearest(_resources(receiver, path), raw)
        count, why = judge(rival, look, raw, rows)
        shown[rival.name] = _shown(receiver, path, rows, wanted, count, [why] if count else [])
    return Run(len(raw), round(sum(len(s.pids()) for s in raw) / len(raw)), shown)


def _wait(receiver: Receiver, scrapes: int, deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while len(receiver.sent(many.RAW)) < scrapes:
        if time.monotonic() > deadline:
            raise BenchFailed(f"{len(receiver.sent(many.RAW))} of {scrapes} scrapes in {deadline_s:g} s")
        time.sleep(0.1)


def _resources(receiver: Receiver, path: str) -> list[ResourceMetrics]:
    requests = (ExportMetricsServiceRequest.FromString(one.plain) for one in receiver.sent(path))
    return [resource for request in requests for resource in request.resource_metrics]


def _shown(
    receiver: Receiver,
    path: str,
    rows: Sequence[Sequence[Row]],
    wanted: Sequence[set[int]],
    mismatches: int,
    why: Sequence[str],
) -> Shown:
    return Shown(
        series=sum(map(len, rows)) / len(rows),
        wire=sum(len(one.wire) for one in receiver.sent(path)) / len(rows),
        kept=sum(len(pids & {row.pid for row in sent}) for pids, sent in zip(wanted, rows, strict=True)),
        wanted=sum(map(len, wanted)),
        mismatches=mismatches,
        why=why[0][:300] if why else "",
    )


def _nearest(resources: Sequence[ResourceMetrics], raw: Sequence[Scrape]) -> list[list[Row]]:
    """Rows given to the raw scrape whose middle is nearest."""
    middles = [(scrape.start + scrape.end) // 2 for scrape in raw]
    out: list[list[Row]] = [[] for _ in raw]
    for row, _ in brute.rows_of(resources):
        out[min(range(len(raw)), key=lambda index: abs(middles[index] - row.time))].append(row)
    return out


def judge(rival: Rival, look: Look, raw: Sequence[Scrape], rows: Sequence[Sequence[Row]]) -> tuple[int, str]:
    """How often a rival differed from its promise, and one example in words."""
    lasting = set.intersection(*(scrape.pids() for scrape in raw))
    count, why = 0, ""
    for scrape, sent in zip(raw, rows, strict=True):
        if rival.name in (INCLUDE, EXCLUDE):
            wrong = _listed(rival.name, look, scrape, sent) & lasting
            told = [scrape.attributes[pid]["process.executable.name"] for pid in sorted(wrong)]
        elif rival.name == THRESHOLD:
            told = [scrape.attributes[pid]["process.executable.name"] for pid in sorted(_whole(scrape, sent))]
        else:
            told = _totals(scrape, sent)
        count += len(told)
        why = why or ", ".join(map(str, told[:5]))
    return count, why


def _listed(name: str, look: Look, scrape: Scrape, sent: Sequence[Row]) -> set[int]:
    """Processes that a list of names missed, or let through, in one scrape."""
    if name == INCLUDE:
        promised = brute.top_k(scrape, HEAVY, arms.CRITICAL)
    else:
        gone = set(look.excluded)
        promised = {
            pid
            for pid, one in scrape.attributes.items()
            if one["process.executable.name"] not in gone and not rules.kernel(one)
        }
    return promised ^ {row.pid for row in sent}


def _whole(scrape: Scrape, sent: Sequence[Row]) -> set[int]:
    """Processes over the thresholds that are not there with all their rows, and others that are there."""
    over = brute.over_thresholds(scrape, CPU_MIN, MEMORY_MIN, ())
    have: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in sent:
        have[row.pid].add((row.metric, row.state or row.direction))
    want: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in scrape.without_helper():
        want[row.pid].add((row.metric, row.state or row.direction))
    return {pid for pid in over if not want[pid] <= have[pid]} | (set(have) - over)


def _totals(scrape: Scrape, sent: Sequence[Row]) -> list[str]:
    """Totals of the host that the sample, scaled up, misses by more than a tenth."""
    true, estimated = _summed(scrape.rows), _summed(sent)
    return [
        f"{key} off by {ONE_OF * estimated.get(key, 0.0) / value - 1:+.0%}"
        for key, value in true.items()
        if value and abs(ONE_OF * estimated.get(key, 0.0) / value - 1) > TOLERATED
    ]


def _summed(rows: Sequence[Row]) -> dict[str, float]:
    out: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.metric not in (HELPER, "process.disk.io"):
            out[" ".join(filter(None, (row.metric, row.state)))] += row.value
        out["processes"] += row.metric == "process.memory.usage"
    return out
