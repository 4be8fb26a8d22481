"""Decides which processes to start and to end, so that the population stays as asked. Pure: no process, no clock.

The generator tells it what happened and asks what to do; times are seconds on any clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from loadsim.population.lifetimes import Lifetimes
from loadsim.population.process_spec import ProcessSpec

RETRY_S = 1.0
"""A process that ended unasked is started again after this time, so that a killer and a keeper make no storm."""
MAX_ENDS_AT_ONCE = 20
"""Restarts that fell due together (the machine stood still) are not all made up for."""
MAX_STARTING = 200
"""Starts under way at once: bounds what the pipes to and from the spawner must hold."""
MAX_ENDING = 200
"""Ends under way at once, for the same reason."""
FAILURES_ALLOWED = 20
"""Starts that may fail before the run is given up; a complete population clears the count."""


@dataclass(frozen=True)
class Start:
    """Start this slot's process. life: how many of the slot's processes have come to the end of their lifetime."""

    slot: int
    life: int = 0


@dataclass(frozen=True)
class End:
    """End this slot's process; if the slot is still wanted it will be started again once it is gone."""

    slot: int


Action = Start | End


@dataclass
class Keeper:
    """The state of one run. A slot has at most one process: it is started again only after its end was reported; and
    never are there more processes than the population has, even while one population gives way to another.
    """

    specs: Sequence[ProcessSpec]
    restarts_per_minute: float
    seed: int
    alive: dict[int, int] = field(default_factory=dict)
    """Slot to pid, of processes confirmed by the spawner."""
    spawned: int = 0
    ended: int = 0
    """Processes whose end was seen, whoever caused it."""
    restarts: int = 0
    complete: bool = False
    """Whether the whole population has been alive at once."""
    failures: int = 0
    last_error: str = ""

    def __post_init__(self) -> None:
        self._wanted: dict[int, ProcessSpec] = {}
        self._due: dict[int, float] = {}
        self._starting: set[int] = set()
        self._ending: set[int] = set()
        self._leaving: set[int] = set()
        self._replacing: set[int] = set()
        self.lives: Mapping[int, int] = {}
        """Slot to how many of its processes have come to the end of their lifetime."""
        self.become(self.specs, self.restarts_per_minute)

    def become(self, specs: Sequence[ProcessSpec], restarts_per_minute: float) -> None:
        """Want another population from now on. Processes that both have live on; the others end and begin."""
        wanted = {spec.slot: spec for spec in specs}
        kept = {slot for slot, spec in self._wanted.items() if wanted.get(slot) == spec}
        occupied = self.alive.keys() | self._starting
        self._leaving |= (self._wanted.keys() - kept) & occupied
        self._due = {slot: when for slot, when in self._due.items() if slot in kept}
        self._due |= dict.fromkeys(wanted.keys() - kept - occupied, 0.0)
        self._replacing &= kept
        self.specs, self._wanted, self.restarts_per_minute = specs, wanted, restarts_per_minute
        self._order = [spec.slot for spec in specs if spec.restarts]
        Random(self.seed).shuffle(self._order)
        self._turn = 0
        self._next_restart: float | None = None
        lives = {slot: life for slot, life in self.lives.items() if slot in kept}
        self._lifetimes = Lifetimes(specs, self.seed, lives)
        self.lives = self._lifetimes.lives
        self.complete = False

    @property
    def hopeless(self) -> bool:
        """Whether so many starts have failed that going on makes no sense."""
        return self.failures > FAILURES_ALLOWED

    @property
    def occupied(self) -> int:
        """Processes that there are or may be: alive, or asked for and not yet heard of."""
        return len(self.alive) + len(self._starting)

    @property
    def next_at(self) -> float:
        """When a restart or the end of a lifetime is next due; infinity when none is."""
        if not self.complete:
            return float("inf")
        return min(self._lifetimes.next_at, float("inf") if self._next_restart is None else self._next_restart)

    def up(self, slot: int, pid: int) -> None:
        """The process of `slot` lives."""
        self._starting.discard(slot)
        self.alive[slot] = pid
        self.spawned += 1
        if slot in self._replacing:
            self._replacing.discard(slot)
            self.restarts += 1
        self._note_completeness()

    def _note_completeness(self) -> None:
        """Also without a new process: a population that only shrinks is complete when the last has left."""
        if not self._leaving and len(self.alive) == len(self._wanted):
            self.complete = True
            self.failures = 0

    def down(self, slot: int, now: float) -> None:
        """The process of `slot` has ended: at once due again when that was asked for, else after RETRY_S."""
        self.ended += 1
        self._gone(slot)
        asked, left = slot in self._ending, slot in self._leaving
        self._ending.discard(slot)
        self._leaving.discard(slot)
        if slot not in self._wanted:
            return
        if asked and not left:
            self._replacing.add(slot)
        self._due[slot] = now if asked else now + RETRY_S

    def failed(self, slot: int, error: str, now: float) -> None:
        """The process of `slot` could not be started."""
        self._gone(slot)
        self._ending.discard(slot)
        self._leaving.discard(slot)
        self.failures += 1
        self.last_error = error
        if slot in self._wanted:
            self._due[slot] = now + RETRY_S

    def _gone(self, slot: int) -> None:
        self.alive.pop(slot, None)
        self._starting.discard(slot)

    def decide(self, now: float) -> list[Action]:
        """What to do now. Each action is given once; its outcome is awaited through up, down and failed."""
        self._note_completeness()
        due = sorted(slot for slot, when in self._due.items() if when <= now)
        room = min(MAX_STARTING - len(self._starting), len(self._wanted) - self.occupied)
        starting = due[: max(0, room)]
        for slot in starting:
            del self._due[slot]
        self._starting.update(starting)
        ends = [*self._departures(), *self._restarts(now), *self._deaths(now)]
        self._ending.update(ends)
        return [*(Start(slot, self.lives.get(slot, 0)) for slot in starting), *map(End, ends)]

    def _departures(self) -> list[int]:
        """Those that the population before had and this one has not, once they live and can be ended."""
        left = sorted(slot for slot in self._leaving if slot in self.alive and slot not in self._ending)
        return left[: max(0, MAX_ENDING - len(self._ending))]

    def _restarts(self, now: float) -> list[int]:
        """Evenly spaced in time once the population is complete, in a seeded order that takes each slot in turn."""
        if not self.complete or not self._order or self.restarts_per_minute <= 0:
            return []
        gap = 60.0 / self.restarts_per_minute
        if self._next_restart is None:
            self._next_restart = now + gap
        ends: list[int] = []
        while self._next_restart <= now:
            self._next_restart += gap
            slot = self._order[self._turn % len(self._order)]
            self._turn += 1
            if slot in self.alive and slot not in self._ending and len(ends) < MAX_ENDS_AT_ONCE:
                ends.append(slot)
                self._ending.add(slot)
        return ends

    def _deaths(self, now: float) -> list[int]:
        """Those whose lifetime is over. The lifetimes of a population begin when all of it is alive."""
        if not self.complete:
            return []
        self._lifetimes.begin(now)
        if self._lifetimes.next_at > now:
            return []
        free = self.alive.keys() - self._ending
        return self._lifetimes.due(now, free, MAX_ENDS_AT_ONCE)
