"""Brute force for pipelines that sum: what a group of processes must report, scrape by scrape.

A counter's sum grows by what each of its members did since the scrape before; memory and the number of processes are
those of the members now. Nothing is shared with the collector's configuration but the documented rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.catalog.brute import Row, Scrape

COUNTERS = ("process.cpu.time", "process.disk.io")
NOW = ("process.memory.usage", "process.memory.virtual")
Key = tuple[str, str, str]
"""Group, metric, and state or direction."""
Member = Callable[[int], str | None]
"""The group of a pid, or None."""


@dataclass
class Sums:
    """The running sums of an arm.

    started: when the collector began (Unix ns): what a process did before is not counted, unless it began later.
    count: name of the metric with the number of processes. prefix: what stands before the metrics' names.
    by_name: whether another name makes another process (an exec), for the collector cannot tell.
    """

    started: int
    count: str
    prefix: str = ""
    by_name: bool = True
    _last: dict[tuple[object, ...], int | float] = field(default_factory=dict)
    _total: dict[Key, int | float] = field(default_factory=lambda: defaultdict(int))

    def after(self, scrape: Scrape, watched: Member, member: Member) -> Mapping[Key, int | float]:
        """What the groups report after this scrape.

        watched: whose counters are followed, by pid (the name they are followed under); member: who counts now.
        """
        grown: dict[Key, int | float] = defaultdict(int)
        now: dict[Key, int | float] = defaultdict(int)
        for row in scrape.rows:
            group = member(row.pid)
            if row.metric in COUNTERS and (name := watched(row.pid)) is not None:
                delta = self.delta(row, name)
                if delta is not None and group is not None:
                    grown[group, self.prefix + row.metric, row.state or row.direction] += delta
            elif row.metric in NOW and group is not None:
                now[group, self.prefix + row.metric, ""] += row.value
                now[group, self.count, ""] += row.metric == "process.memory.usage"
        for key, delta in grown.items():
            self._total[key] += delta
        return {**now, **{key: self._total[key] for key in grown}}

    def delta(self, row: Row, name: str) -> int | float | None:
        """What a process did since it was last seen; None when that is not known."""
        identity = (row.pid, name if self.by_name else "", row.start, row.metric, row.state, row.direction)
        last = self._last.get(identity)
        self._last[identity] = row.value
        if last is None:
            return row.value if row.start >= self.started and row.time != row.start else None
        return row.value - last if row.value >= last else None
