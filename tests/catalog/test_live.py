"""Every pipeline at once behind one process scraper, on live populations of different kinds: rows, sets and sums equal
the rules in every scrape, and no critical process is ever missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from tests.catalog import brute, many, rules
from tests.catalog.brute import Row, Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import Runner
from tests.catalog.population import HOSTILE, Population

INTERVAL_S = 3.0
SCRAPES = 5
DEADLINE_S = 60.0
CRITICAL = (
    CriticalPattern(id="db", name="^db-main$"),
    CriticalPattern(id="worker", command_line="payments-worker --queue=(a|b)"),
    *(CriticalPattern(id=f"hostile-{i}", name=f"^{re.escape(name)}$") for i, name in enumerate(HOSTILE[::2])),
)
CASES = (
    rules.topk(k=10, disk=True),
    rules.priority(cpu_min=0.004, memory_min=20 << 20, keep_names=["^kept-"], drop_names=["^busy-1$"]),
    rules.aggregated(),
    rules.adaptive(),
    rules.basic(),
    rules.standard(),
    rules.aggressive(),
    rules.critical(),
    rules.dynamic(),
)


def steady(population: Population) -> None:
    for index in range(40):
        population.idle(f"idle-{index % 20}", f"--n={index}")


def mostly_idle(population: Population) -> None:
    for index in range(1000):
        population.idle(f"idle-{index % 50}", f"--n={index}")


def churning(population: Population) -> None:
    steady(population)
    population.churn(per_second=30, living=60)


def hostile(population: Population) -> None:
    for index in range(3 * len(HOSTILE)):
        population.idle(HOSTILE[index % len(HOSTILE)], f'--n="{index}" ${{env:HOME}} é\\')


def reused(population: Population) -> None:
    """Processes whose pid was another's a moment before; half keep the name. Done again between scrapes."""
    pids = [population.idle(f"kept-{index}") for index in range(12)]
    taken = [population.again(pid, f"kept-{index}" if index % 2 else "taker") for index, pid in enumerate(pids)]
    print(f"{sum(taken)} of {len(taken)} pids taken again before the first scrape")


@dataclass(frozen=True)
class Kind:
    """A kind of population; between: what happens after each scrape."""

    populate: Callable[[Population], None]
    between: Callable[[Population], None] = lambda population: None


KINDS = {
    "steady": Kind(steady),
    "1000-idle": Kind(mostly_idle),
    "churn-30/s": Kind(churning),
    "hostile-names": Kind(hostile),
    "reused-pids": Kind(reused, between=reused),
}


def observe(
    kind: Kind, catalog: FileCatalog, runner: Runner, folder: Path
) -> tuple[list[Scrape], list[list[list[Row]]], int]:
    """Scrapes of the raw stream, what each case sent for them, and when the collector was launched (Unix ns)."""
    with Capture() as capture, Population(folder) as population:
        population.idle("db-main")
        population.idle("queue-a", "payments-worker --queue=a")
        for index in range(4):
            population.busy(f"busy-{index}", 0.02 + 0.02 * index, 8 * (index + 1))
        kind.populate(population)
        launched = time.time_ns()
        config = many.config_of(CASES, catalog, CRITICAL, INTERVAL_S, capture.url)
        with runner.running(config):
            for index in range(SCRAPES):
                capture.wait_for(many.RAW, index + 1, DEADLINE_S)
                kind.between(population)
        assert runner.errors() == []
    scrapes = brute.scrapes_of(capture.resources(many.RAW))
    return scrapes, [brute.by_scrape(capture.resources(f"/{i}"), scrapes) for i in range(len(CASES))], launched


def check_criticals(scrapes: Sequence[Scrape], rows: Sequence[Sequence[Row]], wanted: int) -> int:
    """Every critical process of the raw stream is in every scrape of the arm; gives how many these are."""
    seen = 0
    for scrape, sent in zip(scrapes, rows, strict=True):
        marked = set(brute.criticals(scrape, CRITICAL))
        assert len(marked) >= wanted
        assert marked <= {row.pid for row in sent}
        seen += len(marked)
    return seen


@pytest.mark.parametrize("name", KINDS)
def test_every_pipeline_is_exact_on(name: str, catalog: FileCatalog, runner: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    scrapes, rows, launched = observe(KINDS[name], catalog, runner, folder)
    assert len(scrapes) >= SCRAPES
    raw = sum(len(scrape.without_helper()) for scrape in scrapes)
    print(f"{len(scrapes)} scrapes, {max(len(scrape.pids()) for scrape in scrapes)} processes, {raw} raw points")
    gaps = [later.start - scrape.start for scrape, later in pairwise(scrapes)]
    print(f"the longest time between two scrapes: {max(gaps) / many.SECOND:.1f} s")
    around = rules.Around(round(INTERVAL_S * many.SECOND), CRITICAL)
    wrong: dict[str, list[str]] = {}
    for case, sent in zip(CASES, rows, strict=True):
        seen = check_criticals(scrapes, sent, 2)
        points = sum(map(len, sent))
        print(f"{case.id}: {points} points, {1 - points / raw:.1%} fewer, {seen} criticals kept")
        found = many.compare_live(case, around, launched, scrapes, sent) + many.falls(sent)
        wrong |= {case.id: found[:5]} if found else {}
    assert wrong == {}
