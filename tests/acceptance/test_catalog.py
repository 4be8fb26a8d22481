"""Pipelines of the catalog under the conditions they were made for, deployed on a real host."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.machine import Machine
from tests.acceptance.test_deployment import active, deploy
from tests.catalog import brute
from tests.catalog.brute import Scrape
from tests.catalog.capture import Capture
from tests.catalog.population import Population

BUDGET = 200
OWN = (240, 440, 840)
"""Processes that we alone run, step by step: more than the budget from the beginning."""
STARTS_A_SECOND = 25.0
CHURNING = 60
CRITICAL = 4
SCRAPES = 3
"""Whole scrapes at each step. The one in which processes were still being started comes before them."""


@dataclass(frozen=True)
class Step:
    """What arrived at the backend while a certain number of our processes lived."""

    own: int
    scrapes: list[Scrape]

    @property
    def series(self) -> float:
        return statistics.median(len(scrape.rows) for scrape in self.scrapes)

    def others(self, critical: set[int]) -> int:
        """The most processes in a scrape that are not critical."""
        return max(len(scrape.pids() - critical) for scrape in self.scrapes)


def watched(backend: Capture, own: int) -> Step:
    """Wait for whole scrapes that began after now: the one under way, these, and the next."""
    before = len(backend.requests("/p14"))
    seen = len(brute.scrapes_of(backend.resources("/p14")))
    backend.wait_for("/p14", before + 1 + SCRAPES + 1, 90)
    found = brute.scrapes_of(backend.resources("/p14"))[seen + 1 : seen + 1 + SCRAPES]
    return Step(own, found)


@pytest.mark.acceptance(
    "AT-P14",
    "process-adaptive-filter-v1 deployed by the CLI; 25 processes a second end and begin while the population grows; "
    "what arrives at the user's OTLP server",
)
def test_the_adaptive_filter_sends_less_the_more_there_is_and_keeps_criticals(
    machine: Machine, backend: Capture, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    with Population(folder) as population:
        critical = {population.idle(f"at14-main-{index}") for index in range(CRITICAL)}
        population.churn(STARTS_A_SECOND, CHURNING)
        words = ("--param", f"budget={BUDGET}", "--critical", "^at14-main-", "--interval", "2s")
        running = len(critical) + CHURNING
        steps = []
        for own in OWN:
            for index in range(running, own):
                population.idle(f"at14-idle-{index}")
            if running < OWN[0]:
                deploy(machine, "process-adaptive-filter-v1", *words, "--backend", f"{backend.url}/p14")
                item = active(machine)
                assert item["marker"] == item["expected"]
            running = own
            born, step = population.born, watched(backend, own)
            assert population.born > born, "nothing came and went meanwhile"
            steps.append(step)
        every = brute.scrapes_of(backend.resources("/p14"))
        deploy(machine, "process-baseline-v1", "--interval", "2s", "--backend", f"{backend.url}/p14-after")

    kept = [len(critical & scrape.pids()) for scrape in every[:-1]]
    assert kept == [CRITICAL] * len(kept), "every scrape, the first included"
    for step in steps:
        assert len(step.scrapes) >= 2
        assert 0 < step.others(critical) <= BUDGET * BUDGET // step.own
    series = [step.series for step in steps]
    assert series[0] > series[1] > series[2], series
    shown = " → ".join(f"{value:.0f}" for value in series)
    figure(
        f"{shown} series at {' → '.join(map(str, OWN))} own processes, {population.born} came and went; "
        f"{sum(kept)} of {CRITICAL * len(kept)} criticals in {len(kept)} scrapes"
    )
