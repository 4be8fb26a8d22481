"""The synthetic host: two scrapes of a busy machine on which every critical pattern has processes that stand in for it.

Those are the hard cases for a filter: idle and small among 600 that are busier and larger (more than any k of the
catalog), and one that appears only in the second scrape. Between the scrapes ordinary processes end, which shows what
happens to counters that are summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.validation.stand_in import stand_ins

ORDINARY = 600
_NAMES = 200
"""Different names among the ordinary processes: three processes share each."""
INTERVAL_NS = 15_000_000_000
_FIRST_PID, _FIRST_STAND_IN = 1_000, 50_000
_PAGE = 4096


@dataclass(frozen=True)
class Process:
    """One process in one scrape.

    cpu_seconds and io_bytes: counters since its start. utilization: share of the host, None on its first scrape, as the
    real scraper has it. memory: resident bytes.
    """

    pid: int
    name: str
    command_line: str
    owner: str
    cpu_seconds: float
    utilization: float | None
    memory: int
    io_bytes: int
    age_s: int


@dataclass(frozen=True)
class Scrape:
    """All processes of the host at one time (Unix nanoseconds)."""

    time_ns: int
    processes: tuple[Process, ...]


@dataclass(frozen=True)
class Population:
    """What is fed. stand_ins: for each critical pattern, in their order, the pids that were made for it."""

    scrapes: tuple[Scrape, Scrape]
    stand_ins: tuple[tuple[int, ...], ...]


def population(critical: Sequence[CriticalPattern], now_ns: int) -> Population:
    """Two scrapes, the second at `now_ns` (Unix nanoseconds)."""
    first: list[Process] = []
    second: list[Process] = []
    for number in range(ORDINARY):
        first.append(_ordinary(number, 0))
        if number % 7:  # every seventh ends between the scrapes
            second.append(_ordinary(number, 1))
    pids: list[tuple[int, ...]] = []
    for pattern in critical:
        made = list(_stand_ins(pattern, _FIRST_STAND_IN + 100 * len(pids)))
        first += [process for process in made if process.utilization is not None]
        second += made
        pids.append(tuple(process.pid for process in made))
    return Population((Scrape(now_ns - INTERVAL_NS, tuple(first)), Scrape(now_ns, tuple(second))), tuple(pids))


def _ordinary(number: int, scrape: int) -> Process:
    name = f"worker-{number % _NAMES}"
    pid = _FIRST_PID + number
    share = (number % 50 + 1) / 10_000
    return Process(
        pid=pid,
        name=name,
        command_line=f"/opt/app/{name} --shard {pid}",
        owner=f"app{number % 5}",
        cpu_seconds=100.0 + number + 15 * share * scrape,
        utilization=share,
        memory=(number % 97 + 2) * 8 * 1024 * 1024,
        io_bytes=1_000_000 + 1000 * number + scrape,
        age_s=3600,
    )


def _stand_ins(pattern: CriticalPattern, pid: int) -> Iterator[Process]:
    text = pattern.name or pattern.command_line
    for made in stand_ins(text) if text else (pattern.owner or "",):
        for idle, utilization in ((True, 0.0), (False, 0.2), (True, None)):
            yield Process(
                pid=pid,
                name=made if pattern.name and made else f"stand-in-{pid}",
                command_line=made if pattern.command_line else f"/usr/bin/stand-in --number {pid}",
                owner=made if pattern.owner else "nobody",
                cpu_seconds=0.0 if idle else 50_000.0,
                utilization=utilization,
                memory=_PAGE if idle else 4 * 1024**3,
                io_bytes=0,
                age_s=3600 if utilization is not None else 1,
            )
            pid += 1
