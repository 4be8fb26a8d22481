"""One run of load: starts a population, keeps it, reports it every second, and leaves nothing behind.

It executes what keeper.py decides and says what it sees in a status file (a LoadStatus as JSON, replaced atomically).
Which processes there are is the business of profiles.py; how they are forked, of spawner.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.load import MAX_NAMES, LoadPhase, LoadSpec, LoadStatus
from loadsim.keeper import Keeper
from loadsim.marker import marked
from loadsim.profiles import population_of
from loadsim.signals import EndWatch
from loadsim.spawner_link import SpawnerLink

START_S = 60.0
"""The whole population must have been alive at once by then."""
STATUS_S = 1.0
_TICK_S = 0.25
_GONE_S = 2.0
"""A killed process may take this long to be gone."""


@dataclass
class Generator:
    """One run. `run` returns when it is over; the last status written has a phase that `ended`."""

    spec: LoadSpec
    run_id: str
    status_file: Path
    duration_s: float
    """Seconds after which it ends by itself."""
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    _status: LoadStatus = field(default=LoadStatus(phase=LoadPhase.STARTING), init=False)

    def run(self, watch: EndWatch) -> LoadStatus:
        """Run until the duration is over, `watch` has a reason, or the load cannot be kept (phase failed, with why)."""
        self._specs = {spec.slot: spec for spec in population_of(self.spec)}
        self._keeper = Keeper(list(self._specs.values()), self.spec.restarts_per_minute, self.spec.seed)
        self._say(LoadPhase.STARTING, started_at=self.wall())
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

    def _keep(self, link: SpawnerLink, watch: EndWatch) -> tuple[str, str]:
        """The loop. Returns why it was right to end, or else what failed."""
        begin = self.clock()
        next_status = begin
        while True:
            now = self.clock()
            if reason := watch.reason or ("duration reached" if now - begin >= self.duration_s else ""):
                return reason, ""
            if failure := self._failure(link, now - begin):
                return "", failure
            self._act(link, now)
            phase = LoadPhase.RUNNING if self._keeper.complete else LoadPhase.STARTING
            if now >= next_status or phase is not self._status.phase:
                next_status = now + STATUS_S
                self._say(phase)
            if watch.wait(min(_TICK_S, self.duration_s - (now - begin)), link.fileno()):
                self._learn(link)

    def _act(self, link: SpawnerLink, now: float) -> None:
        for action in self._keeper.decide(now):
            link.send(action, self._specs[action.slot])
        link.flush()

    def _learn(self, link: SpawnerLink) -> None:
        for event in link.events():
            if "up" in event:
                self._keeper.up(event["up"], event["pid"])
            elif "down" in event:
                self._keeper.down(event["down"], self.clock())
            else:
                self._keeper.failed(event["failed"], event["error"], self.clock())

    def _failure(self, link: SpawnerLink, elapsed: float) -> str:
        keeper = self._keeper
        if link.ended:
            return _SPAWNER_GONE
        if keeper.hopeless:
            return f"{len(keeper.alive)} of {self.spec.count} processes run; starting more fails: {keeper.last_error}"
        if not keeper.complete and elapsed > START_S:
            return f"only {len(keeper.alive)} of {self.spec.count} processes started within {START_S:.0f} s"
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
        names = tuple(self._specs[slot].name for slot in sorted(keeper.alive)[:MAX_NAMES])
        seen = {"running": len(keeper.alive), "spawned": keeper.spawned, "restarts": keeper.restarts, "names": names}
        self._status = self._status.model_copy(update={"phase": phase, **seen, **more})
        write_status(self.status_file, self._status)


_SPAWNER_GONE = "the spawner ended unexpectedly"


def write_status(path: Path, status: LoadStatus) -> None:
    """Replace the file in one step: a reader sees the old status or the new one, never half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(status.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise Unavailable(f"status file {path}: {error.strerror}", hint="choose a writable --status-file") from error


def read_status(path: Path) -> LoadStatus | None:
    """The status last written; None when there is none (yet)."""
    try:
        return LoadStatus.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
