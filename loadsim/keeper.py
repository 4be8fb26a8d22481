"""Decides which processes to start and to end, so that the population stays as asked. Pure: no process, no clock.

The generator tells it what happened and asks what to do; times are seconds on any clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from loadsim.profiles import ProcessSpec

RETRY_S = 1.0
"""A process that ended unasked is started again after this time, so that a killer and a keeper make no storm."""
MAX_ENDS_AT_ONCE = 20
"""Restarts that fell due together (the machine stood still) are not all made up for."""
MAX_STARTING = 200
"""Starts under way at once: bounds what the pipes to and from the spawner must hold."""
FAILURES_ALLOWED = 20
"""Starts that may fail before the run is given up; a complete population clears the count."""


@dataclass(frozen=True)
class Start:
    """Start this slot's process."""

    slot: int


@dataclass(frozen=True)
class End:
    """End this slot's process; it will be started again once it is gone."""

    slot: int


Action = Start | End


@dataclass
class Keeper:
    """The state of one run. A slot has at most one process: it is started again only after its end was reported."""

    specs: Sequence[ProcessSpec]
    restarts_per_minute: float
    seed: int
    alive: dict[int, int] = field(default_factory=dict)
    """Slot to pid, of processes confirmed by the spawner."""
    spawned: int = 0
    restarts: int = 0
    complete: bool = False
    """Whether the whole population has been alive at once."""
    failures: int = 0
    last_error: str = ""

    def __post_init__(self) -> None:
        self._due: dict[int, float] = {spec.slot: 0.0 for spec in self.specs}
        self._starting: set[int] = set()
        self._ending: set[int] = set()
        self._replacing: set[int] = set()
        self._order: list[int] = [spec.slot for spec in self.specs if spec.restarts]
        Random(self.seed).shuffle(self._order)
        self._turn = 0
        self._next_restart: float | None = None

    @property
    def hopeless(self) -> bool:
        """Whether so many starts have failed that going on makes no sense."""
        return self.failures > FAILURES_ALLOWED

    def up(self, slot: int, pid: int) -> None:
        """The process of `slot` lives."""
        self._starting.discard(slot)
        self.alive[slot] = pid
        self.spawned += 1
        if slot in self._replacing:
            self._replacing.discard(slot)
            self.restarts += 1
        if len(self.alive) == len(self.specs):
            self.complete = True
            self.failures = 0

    def down(self, slot: int, now: float) -> None:
        """The process of `slot` has ended: at once due again when that was asked for, else after RETRY_S."""
        self.alive.pop(slot, None)
        self._starting.discard(slot)
        if slot in self._ending:
            self._ending.discard(slot)
            self._replacing.add(slot)
            self._due[slot] = now
        else:
            self._due[slot] = now + RETRY_S

    def failed(self, slot: int, error: str, now: float) -> None:
        """The process of `slot` could not be started."""
        self.alive.pop(slot, None)
        self._starting.discard(slot)
        self._ending.discard(slot)
        self.failures += 1
        self.last_error = error
        self._due[slot] = now + RETRY_S

    def decide(self, now: float) -> list[Action]:
        """What to do now. Each action is given once; its outcome is awaited through up, down and failed."""
        due = sorted(slot for slot, when in self._due.items() if when <= now)
        starting = due[: max(0, MAX_STARTING - len(self._starting))]
        for slot in starting:
            del self._due[slot]
        self._starting.update(starting)
        return [*(Start(slot) for slot in starting), *self._restarts(now)]

    def _restarts(self, now: float) -> list[Action]:
        """Evenly spaced in time once the population is complete, in a seeded order that takes each slot in turn."""
        if not self.complete or not self._order or self.restarts_per_minute <= 0:
            return []
        gap = 60.0 / self.restarts_per_minute
        if self._next_restart is None:
            self._next_restart = now + gap
        ends: list[Action] = []
        while self._next_restart <= now:
            self._next_restart += gap
            slot = self._order[self._turn % len(self._order)]
            self._turn += 1
            if slot in self.alive and slot not in self._ending and len(ends) < MAX_ENDS_AT_ONCE:
                self._ending.add(slot)
                ends.append(End(slot))
        return ends
