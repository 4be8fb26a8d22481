"""Every pipeline at once behind one process scraper, on live populations of different kinds: rows, sets and sums equal
the rules in every scrape, and no critical process is ever missing.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
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
from tests.catalog.population import HOSTILE, Population, can_choose_pids

INTERVAL_S = 1.5
CROWDED_INTERVAL_S = 3.0
SCRAPES = 4
DEADLINE_S = 60.0
TAKEN = 12
CRITICAL = (
    CriticalPattern(id="db", name="^db-main$"),
    CriticalPattern(id="worker", command_line="payments-worker --queue=(a|b)"),
    *(CriticalPattern(id=f"hostile-{i}", name=f"^{re.escape(name)}$") for i, name in enumerate(HOSTILE[::2])),
)
CASES = (
    rules.baseline(),
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


def short_lived(population: Population) -> None:
    for index in range(TAKEN):
        population.idle(f"kept-{index}")


def retaken(population: Population) -> None:
    """Pids that a scrape has seen become those of other processes; half of these keep the name."""
    pids = population.newest(TAKEN)
    taken = [population.again(pid, f"kept-{index}" if index % 2 else "taker") for index, pid in enumerate(pids)]
    print(f"{sum(taken)} of {len(taken)} pids taken again")


def lasts(scrapes: Sequence[Scrape]) -> bool:
    """The same forty were there all the time."""
    lasting = set.intersection(*(scrape.pids() for scrape in scrapes))
    return sum(_name(scrapes[0], pid).startswith("idle-") for pid in lasting) == 40


def crowded(scrapes: Sequence[Scrape]) -> bool:
    """A thousand of ours in every scrape."""
    return all(sum(_name(one, pid).startswith("idle-") for pid in one.pids()) == 1000 for one in scrapes)


def came_and_went(scrapes: Sequence[Scrape]) -> bool:
    """Once at least several were in one scrape and not in the next, and the other way round: at first it only grows."""
    turns = [(before.pids() - after.pids(), after.pids() - before.pids()) for before, after in pairwise(scrapes)]
    return any(len(gone) > 2 and len(new) > 2 for gone, new in turns)


def named(scrapes: Sequence[Scrape]) -> bool:
    """Every hostile name came through as it is, three times, in every scrape."""
    return all(sum(_name(one, pid) == name for pid in one.pids()) == 3 for one in scrapes for name in HOSTILE)


def taken_again(scrapes: Sequence[Scrape]) -> bool:
    """A pid was another process's in an earlier scrape. Only who may say which pid comes next can make it happen; for
    others pids are used again in tests/catalog/history.py, through the real collector too."""
    starts: dict[int, set[int]] = defaultdict(set)
    for row in (row for scrape in scrapes for row in scrape.rows):
        starts[row.pid].add(row.start)
    return not can_choose_pids() or any(len(found) > 1 for found in starts.values())


def _name(scrape: Scrape, pid: int) -> str:
    return str(scrape.attributes[pid]["process.executable.name"])


@dataclass(frozen=True)
class Kind:
    """A kind of population; shown: that the scrapes hold what it is about; between: what happens after each scrape."""

    populate: Callable[[Population], None]
    shown: Callable[[Sequence[Scrape]], bool]
    between: Callable[[Population], None] = lambda population: None
    interval_s: float = INTERVAL_S


KINDS = {
    "steady": Kind(steady, lasts),
    "1000-idle": Kind(mostly_idle, crowded, interval_s=CROWDED_INTERVAL_S),
    "churn-30/s": Kind(churning, came_and_went),
    "hostile-names": Kind(hostile, named),
    "reused-pids": Kind(short_lived, taken_again, between=retaken),
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
        config = many.config_of(CASES, catalog, CRITICAL, kind.interval_s, capture.url)
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
    kind = KINDS[name]
    scrapes, rows, launched = observe(kind, catalog, runner, folder)
    assert len(scrapes) >= SCRAPES
    assert kind.shown(scrapes), kind.shown.__doc__
    raw = sum(len(scrape.without_helper()) for scrape in scrapes)
    print(f"{len(scrapes)} scrapes, {max(len(scrape.pids()) for scrape in scrapes)} processes, {raw} raw points")
    gaps = [later.start - scrape.start for scrape, later in pairwise(scrapes)]
    print(f"the longest time between two scrapes: {max(gaps) / many.SECOND:.1f} s")
    around = rules.Around(round(kind.interval_s * many.SECOND), CRITICAL)
    wrong: dict[str, list[str]] = {}
    for case, sent in zip(CASES, rows, strict=True):
        seen = check_criticals(scrapes, sent, 2)
        points = sum(map(len, sent))
        print(f"{case.id}: {points} points, {1 - points / raw:.1%} fewer, {seen} criticals kept")
        found = many.compare_live(case, around, launched, scrapes, sent) + many.falls(sent)
        wrong |= {case.id: found[:5]} if found else {}
    assert wrong == {}
