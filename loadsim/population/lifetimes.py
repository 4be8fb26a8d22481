"""When processes with a lifetime come to their end. Pure: times are seconds on any clock that never goes back.

The first ends of a population are spread evenly over its lifetimes, in a seeded order, as if it had lived for long;
from then on each end follows the one before it in its slot, so that what starting takes does not lower the rate.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence, Set
from random import Random

from loadsim.population.groups import lifetime
from loadsim.population.process_spec import ProcessSpec


class Lifetimes:
    """The ends ahead of one population. `lives`: slot to the number of its processes that came to their end."""

    def __init__(self, specs: Sequence[ProcessSpec], seed: int, lives: Mapping[int, int]) -> None:
        self._specs: Mapping[int, ProcessSpec] = {spec.slot: spec for spec in specs if spec.life is not None}
        order = list(self._specs)
        Random(f"lifetimes/{seed}").shuffle(order)
        self._share = {slot: (rank + 0.5) / len(order) for rank, slot in enumerate(order)}
        self._heap: list[tuple[float, int]] = []
        self._begun = False
        self.lives: dict[int, int] = {slot: lives.get(slot, 0) for slot in order}

    def begin(self, now: float) -> None:
        """The whole population is alive: from now on its lifetimes count. Said again, it changes nothing."""
        if self._begun:
            return
        self._begun = True
        for slot, spec in self._specs.items():
            heapq.heappush(self._heap, (now + self._share[slot] * lifetime(spec, self.lives[slot]), slot))

    @property
    def next_at(self) -> float:
        """When the next end is due; infinity when none is."""
        return self._heap[0][0] if self._heap else float("inf")

    def due(self, now: float, alive: Set[int], most: int) -> list[int]:
        """At most so many slots whose processes are to end now. An end that cannot be had now (the process is not
        there, or more fell due together than `most`) is not made up for: the next one of its slot comes in its time.
        """
        ends: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            at, slot = heapq.heappop(self._heap)
            if slot in alive and len(ends) < most:
                ends.append(slot)
                self.lives[slot] += 1
            lasts = lifetime(self._specs[slot], self.lives[slot])
            heapq.heappush(self._heap, (at + lasts if at + lasts > now else now + lasts, slot))
        return ends
