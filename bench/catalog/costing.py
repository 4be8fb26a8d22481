"""What every pipeline and rival costs the host: collectors that run side by side, each with one of them.

All read the same processes at the same interval, started evenly over one, so that hardly two scrape at once; each
exports to a local receiver with gzip, as a plain collector would. CPU is the scheduler's time of all threads over whole
intervals, divided by the scrapes that the collector itself counted. Rounds start the collectors afresh, in reversed
order.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.catalog.subjects import CASES, Look, deployment, rivals
from bench.collector import Cost, Subject, measure
from bench.instruments import arms, proc, selfcount
from bench.instruments.receiver import Receiver
from bench.instruments.running import BenchFailed, collector
from chalicelib.domain.pipeline.rendering import Fragment

SETTLE_SCRAPES = 2
FEWEST = 2
ALONE_INTERVAL_S = 60.0
ALONE_SCRAPES = 2


@dataclass(frozen=True)
class Costs:
    """One subject over all rounds. Ratios are to the baseline of the same round."""

    scrapes: int
    cpu_ms: float
    ratio: float
    lowest: float
    highest: float
    rss_mib: float
    rss_ratio: float


@dataclass(frozen=True)
class Alone:
    """The baseline at a long interval: share of one core over whole intervals, most resident memory, live processes."""

    core: float
    rss_mib: float
    live: int


def run(binary: Path, look: Look, interval_s: float, scrapes: int, rounds: int, folder: Path) -> dict[str, Costs]:
    """By name of the subject. Raises BenchFailed."""
    pipelines = arms.fragments(tuple(case.pipeline for case in CASES))
    found: list[dict[str, Cost]] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            try:
                found.append(_round(binary, pipelines, look, interval_s, scrapes, number % 2 == 1, Path(own) / "first"))
            except BenchFailed:
                # A machine that is busy with other work may manage with twice the time; ratios stay fair.
                slow = 2 * interval_s
                found.append(_round(binary, pipelines, look, slow, scrapes, number % 2 == 1, Path(own) / "second"))
    return {name: _costs(name, found) for name in found[0]}


def _round(
    binary: Path,
    pipelines: Mapping[str, Fragment],
    look: Look,
    interval_s: float,
    scrapes: int,
    reverse: bool,
    folder: Path,
) -> dict[str, Cost]:
    folder.mkdir()
    with Receiver() as receiver, ExitStack() as stack:
        configs: dict[str, Mapping[str, Any]] = {
            name: arms.deployment(fragment, interval_s, f"{receiver.url}/{index}", None)
            for index, (name, fragment) in enumerate(pipelines.items())
        }
        for index, rival in enumerate(rivals(look)):
            url = f"{receiver.url}/rival/{index}"
            configs[rival.name] = deployment(rival, pipelines[arms.BASELINE], interval_s, url)
        order = list(configs)[::-1] if reverse else list(configs)
        subjects = {}
        for index, name in enumerate(order):
            subjects[name] = stack.enter_context(_running(binary, configs[name], folder / str(index)))
            time.sleep(interval_s / len(order))
        time.sleep(SETTLE_SCRAPES * interval_s)
        return measure(subjects, scrapes * interval_s, proc.run_seconds, FEWEST)


@contextmanager
def alone(binary: Path, folder: Path) -> Iterator[list[Alone]]:
    """Measure the baseline at a long interval while the block does other things, and wait for the rest of the time.
    The list holds the result after the block. Raises BenchFailed."""
    (fragment,) = arms.fragments((arms.BASELINE,)).values()
    result: list[Alone] = []
    with Receiver() as receiver:
        config = arms.deployment(fragment, ALONE_INTERVAL_S, receiver.url, None)
        with _running(binary, config, folder) as one:
            while not selfcount.pull(one.port).scrapes:
                time.sleep(0.5)
            began, used = time.monotonic(), proc.run_seconds(one.pid)
            yield result
            left = ALONE_SCRAPES * ALONE_INTERVAL_S - (time.monotonic() - began)
            time.sleep(max(left, 0.0))
            share = (proc.run_seconds(one.pid) - used) / (time.monotonic() - began)
            result.append(Alone(share, proc.memory(one.pid).highest / 2**20, proc.live_processes()))


@contextmanager
def _running(binary: Path, config: Mapping[str, Any], folder: Path) -> Iterator[Subject]:
    port = selfcount.free_port()
    with collector(binary, selfcount.with_reader(config, port), folder) as child:
        yield Subject(child.pid, port)


def _costs(name: str, rounds: Sequence[Mapping[str, Cost]]) -> Costs:
    costs = [found[name] for found in rounds]
    ratios = sorted(found[name].cpu_per_scrape / found[arms.BASELINE].cpu_per_scrape for found in rounds)
    memory = [found[name].rss_highest / found[arms.BASELINE].rss_highest for found in rounds]
    return Costs(
        scrapes=sum(cost.scrapes for cost in costs),
        cpu_ms=1000 * sum(cost.cpu_s for cost in costs) / sum(cost.scrapes for cost in costs),
        ratio=statistics.median(ratios),
        lowest=ratios[0],
        highest=ratios[-1],
        rss_mib=max(cost.rss_highest for cost in costs) / 2**20,
        rss_ratio=statistics.median(memory),
    )
