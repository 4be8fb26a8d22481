"""Canaries for tests, made by arithmetic: assignments, pre-periods, plans and their counts. No test here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chalicelib.domain.canary.assignment import Assignment, HostSize, assign
from chalicelib.domain.canary.before import Canary, HostBefore, PrePeriod
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from tests.unit.evaluation.simulated import DEPLOYED, OPENED, TEN, plan_of, scrape

SCRAPES_BEFORE = 40


def names(count: int) -> tuple[str, ...]:
    return tuple(f"node-{number:02d}" for number in range(count))


def lot(hosts: Sequence[str], share: float = 0.5, seed: int = 1) -> Assignment:
    """Hosts of sizes 2, 2, 4, 4, 6 … cores."""
    sizes = [HostSize(host=host, cpu_count=2 * (number // 2 + 1)) for number, host in enumerate(hosts)]
    return assign(sizes, share, seed)


def canary_of(assignment: Assignment, before: Callable[[str], float]) -> Canary:
    """before: a host's series a scrape in the pre-period."""
    hosts = tuple(
        HostBefore(
            host=one.host,
            scrapes=SCRAPES_BEFORE,
            due=SCRAPES_BEFORE,
            raw=round(before(one.host) * SCRAPES_BEFORE),
            series=round(before(one.host) * SCRAPES_BEFORE),
            markers=("marker-0",),
        )
        for one in assignment.hosts
    )
    return Canary(assignment=assignment, before=PrePeriod(start_ns=DEPLOYED - 1, end_ns=DEPLOYED, hosts=hosts))


def plan_for_canary(canary: Canary, **changes: Any) -> EvaluationPlan:
    hosts = tuple(one.host for one in canary.assignment.hosts)
    given = {"claim": "hosts-like-these", "arms": canary.assignment.arms, "canary": canary, **changes}
    return plan_of(hosts, **given)


def counts_of(
    canary: Canary,
    scrapes: int,
    series: Callable[[str, int], float],
    lost: Callable[[str, int], Iterable[CriticalProcess]] = lambda host, number: (),
) -> list[Count]:
    """series: of a host's arm, by host and number of the scrape. raw is ten times as much."""
    found: list[Count] = []
    for host, arm in canary.assignment.arms.items():
        other = Variant.BASELINE if arm is Variant.CANDIDATE else Variant.CANDIDATE
        for number in range(scrapes):
            amount = round(series(host, number))
            gone = tuple(lost(host, number))
            found += scrape(
                number * 15 + 3,
                host=host,
                series=(10 * amount, amount, amount),
                critical=TEN,
                lost=gone if arm is Variant.CANDIDATE else (),
                baseline_lost=gone if arm is Variant.BASELINE else (),
                absent=(other,),
            )
    return found


def noisy(seed: int, sd: float = 0.2) -> Callable[[str, int], float]:
    """Scrape noise by host and number, independent, of mean about 1; the same for the same seed."""
    rng = np.random.default_rng(seed)
    table: dict[str, Any] = {}

    def factor(host: str, number: int) -> float:
        if host not in table:
            table[host] = np.exp(sd * rng.standard_normal(1000))
        return float(table[host][number])

    return factor


END = OPENED + 3600 * 1_000_000_000
