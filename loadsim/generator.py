"""One run of load: starts a population, keeps it, reports it every second, and leaves nothing behind.

It executes what population/keeper.py decides and tells what it sees to whoever made it (a file, a pod's port).
Which processes there are is the business of population; how they are forked, of processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.domain.load import DURATION_REACHED, MAX_NAMES, LoadPhase, LoadSpec, LoadStage, LoadStatus, moment
from chalicelib.domain.load.scenarios import Moment
from loadsim.population.groups import born
from loadsim.population.keeper import Keeper, Start
from loadsim.population.process_spec import ProcessSpec
from loadsim.population.stages import populations
from loadsim.processes.headroom import Room, refusal, room
from loadsim.processes.marker import marked
from loadsim.processes.spawner_link import SpawnerLink
from loadsim.rates import RateMeter
from loadsim.signals import EndWatch

START_S = 60.0
"""The whole population must have been alive at once by then, counted from the beginning of its stage."""
STATUS_S = 1.0
_TICK_S = 0.25
_LEAST_TICK_S = 0.1
"""What falls due or is reported so soon after something else is done together with it: it bounds the wakes."""
_GONE_S = 2.0
"""A killed process may take this long to be gone."""


@dataclass
class Generator:
    """One run. `run` returns when it is over; the last status written has a phase that `ended`."""

    spec: LoadSpec
    run_id: str
    tell: Callable[[LoadStatus], None]
    """Given every status: each second, and at once when the phase changes. What it raises ends the run."""
    duration_s: float
    """Seconds after which it ends by itself."""
    elapsed_s: float = 0.0
    """Seconds that an earlier run of the same load had: a scenario goes on where that one was."""
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    room: Callable[[], Room] = room
    _status: LoadStatus = field(default=LoadStatus(phase=LoadPhase.STARTING), init=False)

    def run(self, watch: EndWatch) -> LoadStatus:
        """Run until the duration is over, `watch` has a reason, or the load cannot be kept (phase failed, with why)."""
        self._populations = populations(self.spec)
        self._stages = [population.stage for population in self._populations]
        self._meter = RateMeter()
        self._begin = self._stage_began = self.clock()
        self._moment = moment(self._stages, self.elapsed_s)
        first = self._populations[self._moment.index]
        self._specs = {spec.slot: spec for spec in first.specs}
        self._keeper = Keeper(first.specs, first.stage.restarts_per_minute, self.spec.seed)
        self._say(LoadPhase.STARTING, started_at=self.wall())
        if failure := self._no_room():
            self._say(LoadPhase.FAILED, reason=failure, ended_at=self.wall())
            return self._status
        link = SpawnerLink(self.run_id)
        failure = "internal error"
        try:
            reason, failure = self._keep(link, watch)
            self._say(LoadPhase.STOPPING, reason=failure or reason)
        finally:
            ending = link.close()
            self._keeper.alive.clear()
            failure = f"the spawner ended unexpectedly ({ending})" if failure == _SPAWNER_GONE else failure
            self._last_word(failure)
        return self._status

    def _no_room(self) -> str:
        here = self.room()
        found = (refusal(len(each.specs), each.memory_bytes, here) for each in self._populations)
        return next((reason for reason in found if reason), "")

    def _keep(self, link: SpawnerLink, watch: EndWatch) -> tuple[str, str]:
        """The loop. Returns why it was right to end, or else what failed."""
        next_status = self._begin
        while True:
            now = self.clock()
            if reason := watch.reason or (DURATION_REACHED if now - self._begin >= self.duration_s else ""):
                return reason, ""
            self._follow(moment(self._stages, self.elapsed_s + now - self._begin), now)
            if failure := self._failure(link, now - self._stage_began):
                return "", failure
            self._act(link, now)
            phase = LoadPhase.RUNNING if self._keeper.complete else self._status.phase
            if now >= next_status or phase is not self._status.phase:
                next_status = now + STATUS_S
                link.reap_adopted()
                self._measure(now)
                self._say(phase)
            # Births and ends that come together are learnt together.
            pause = self._pause(now)
            watch.wait(min(_LEAST_TICK_S, pause))
            if not watch.reason and watch.wait(pause - _LEAST_TICK_S, link.fileno()):
                self._learn(link)

    def _pause(self, now: float) -> float:
        """Seconds until something may be due."""
        left = self.duration_s - (now - self._begin)
        return min(_TICK_S, left, max(_LEAST_TICK_S, self._keeper.next_at - now))

    def _follow(self, here: Moment, now: float) -> None:
        """Go on to the next stage of a scenario when it is due."""
        if (here.index, here.round) != (self._moment.index, self._moment.round):
            self._stage_began = now
            population = self._populations[here.index]
            self._specs = {spec.slot: spec for spec in population.specs}
            self._keeper.become(population.specs, population.stage.restarts_per_minute)
            self._meter.reset()
        self._moment = here

    def _measure(self, now: float) -> None:
        """Rates are counted while the whole population is there: what starting takes is none of them."""
        if self._keeper.complete:
            self._meter.note(now, self._keeper.spawned, self._keeper.ended)

    def _act(self, link: SpawnerLink, now: float) -> None:
        for action in self._keeper.decide(now):
            if isinstance(action, Start):
                link.start(born(self._specs[action.slot], action.life))
            else:
                link.end(action.slot)
        link.flush()

    def _learn(self, link: SpawnerLink) -> None:
        for what, slot, said in link.events():
            if what == "up":
                self._keeper.up(slot, said)
            elif what == "down":
                self._keeper.down(slot, self.clock())
            else:
                self._keeper.failed(slot, said, self.clock())

    def _failure(self, link: SpawnerLink, elapsed: float) -> str:
        keeper = self._keeper
        if link.ended:
            return _SPAWNER_GONE
        if keeper.hopeless:
            return f"{len(keeper.alive)} of {len(keeper.specs)} processes run; starting more fails: {keeper.last_error}"
        if not keeper.complete and elapsed > START_S:
            return f"only {len(keeper.alive)} of {len(keeper.specs)} processes started within {START_S:.0f} s"
        return ""

    def _last_word(self, failure: str) -> None:
        """STOPPED only when a search finds no process of this run: the claim is read back, not assumed."""
        deadline = self.clock() + _GONE_S
        while (own := self._left()) and self.clock() < deadline:
            time.sleep(0.05)
        if own:
            failure = f"{failure}; {len(own)} processes did not end: {own[:5]}".removeprefix("; ")
        phase = LoadPhase.FAILED if failure else LoadPhase.STOPPED
        self._say(phase, reason=failure or self._status.reason, ended_at=self.wall())

    def _left(self) -> list[int]:
        return [pid for pid, run_id in marked(self.run_id).items() if run_id == self.run_id]

    def _say(self, phase: LoadPhase, **more: str | float) -> None:
        keeper = self._keeper
        seen = {
            "asked": len(keeper.specs),
            "running": len(keeper.alive),
            "spawned": keeper.spawned,
            "restarts": keeper.restarts,
            "rates": self._meter.rates(self._populations[self._moment.index].starts_per_second),
            "stage": self._stage() if self.spec.scenario else None,
            "names": self._names(),
        }
        self._status = self._status.model_copy(update={"phase": phase, **seen, **more})
        self.tell(self._status)

    def _stage(self) -> LoadStage:
        here = self._moment
        return LoadStage(
            name=self._stages[here.index].name,
            number=here.index + 1,
            of=len(self._stages),
            round=here.round,
            ends_at=None if here.left_s is None else self.wall() + here.left_s,
        )

    def _names(self) -> tuple[str, ...]:
        def rank(spec: ProcessSpec) -> tuple[bool, int]:
            return spec.role != "critical", spec.slot

        alive = sorted((self._specs[slot] for slot in self._keeper.alive if slot in self._specs), key=rank)
        lives = self._keeper.lives
        return tuple(born(spec, lives.get(spec.slot, 0)).name for spec in alive[:MAX_NAMES])


_SPAWNER_GONE = "the spawner ended unexpectedly"
