"""The host's load agent: asks the control plane what should run here, brings that about, and reports.

`decide` is the whole policy, pure; `Agent` carries it out. While the control plane is away the loads go on until their
own deadlines. How a run is started and ended is the business of runs.py; HTTP, of control_plane.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chalicelib.domain.errors import Conflict, NotAllowed, PhoenixError, Rejected, Unavailable
from chalicelib.domain.load import DesiredLoad, LoadPhase, LoadStatus
from loadsim.agent.control_plane import Desired
from loadsim.agent.runs import RunView
from loadsim.signals import EndWatch

POLL_S = 1.5
LONGEST_WAIT_S = 30.0
REPORT_S = 5.0
_TICK_S = 0.5
_log = logging.getLogger("loadsim.agent")


@dataclass(frozen=True)
class StartRun:
    """Start this load's generator."""

    load: DesiredLoad


@dataclass(frozen=True)
class StopRun:
    """End this load's generator."""

    name: str


@dataclass(frozen=True)
class ForgetRun:
    """The load is over and the control plane no longer names it."""

    name: str


@dataclass(frozen=True)
class Answer:
    """Tell the control plane something about a load of which no run is on record."""

    name: str
    status: LoadStatus


Action = StartRun | StopRun | ForgetRun | Answer


def decide(desired: Desired, runs: Mapping[str, RunView]) -> list[Action]:
    """What to do so that exactly the desired loads run, each generation once.

    A generation that has ended is never started again, whatever ended it; one that an earlier agent left unfinished
    is. A load whose request cannot be understood keeps an earlier run, if there is one; if there is none, the control
    plane is told.
    """
    actions: list[Action] = []
    for load in desired.loads:
        action = _bring_about(load, runs.get(load.name))
        actions += [action] if action else []
    wanted = {load.name for load in desired.loads} | {name for name, _ in desired.refused}
    actions += [StopRun(name) if _alive(run) else ForgetRun(name) for name, run in runs.items() if name not in wanted]
    for name, what in desired.refused:
        if name not in runs:
            actions.append(Answer(name, LoadStatus(phase=LoadPhase.FAILED, reason=f"request not understood: {what}")))
    return actions


def _alive(run: RunView | None) -> bool:
    return run is not None and not run.interrupted and not run.status.phase.ended


def _bring_about(load: DesiredLoad, run: RunView | None) -> Action | None:
    if load.desired == "stopped":
        if _alive(run):
            return StopRun(load.name)
        if run is None or run.interrupted:
            return Answer(load.name, _not_running(load.generation))
        return None
    if run is None or run.interrupted:
        return StartRun(load)
    if run.generation == load.generation:
        return None
    return StopRun(load.name) if _alive(run) else StartRun(load)  # the old generation ends before the new one starts


def _not_running(generation: int) -> LoadStatus:
    return LoadStatus(phase=LoadPhase.STOPPED, generation=generation, reason="not running on this host")


class Control(Protocol):
    """The control plane, as control_plane.ControlPlane and the tests' fake offer it."""

    def desired(self) -> Desired: ...

    def report(self, name: str, status: LoadStatus) -> None: ...


class Runner(Protocol):
    """The runs of this host, as runs.Runs and the tests' fake offer them."""

    def start(self, load: DesiredLoad) -> None: ...

    def stop(self, name: str) -> None: ...

    def forget(self, name: str) -> None: ...

    def look(self) -> Mapping[str, RunView]: ...


class Agent:
    """One loop. Nothing that the control plane answers, or fails to answer, ends it."""

    def __init__(
        self,
        control: Control,
        runs: Runner,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._control, self._runs, self._clock, self._chance = control, runs, clock, chance
        self._next_poll = 0.0
        self._failures = 0
        self._complaint = ""
        self._reported: dict[str, tuple[tuple[object, ...], float]] = {}

    def run(self, watch: EndWatch) -> None:
        """Until `watch` has a reason. The caller then ends the runs (leaving Runs' context does)."""
        while not watch.reason:
            self.step()
            watch.wait(_TICK_S)
        _log.info("ending: %s", watch.reason)

    def step(self) -> None:
        """One look at the runs and, when it is time, one exchange with the control plane."""
        runs = self._runs.look()
        now = self._clock()
        if now < self._next_poll:
            return
        try:
            desired = self._control.desired()
            self._carry_out(decide(desired, runs))
            self._report(self._runs.look())
        except PhoenixError as error:
            self._away(error)
        else:
            self._failures = 0
            self._complain("")
            # A little jitter, so that many hosts started together do not stay together.
            self._next_poll = now + POLL_S * (0.8 + 0.4 * self._chance())

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartRun(load):
                    _log.info("load %s: starting generation %d", load.name, load.generation)
                    self._runs.start(load)
                case StopRun(name):
                    self._runs.stop(name)
                case ForgetRun(name):
                    self._runs.forget(name)
                    self._reported.pop(name, None)
                case Answer(name, status):
                    self._tell(name, status)

    def _report(self, runs: Mapping[str, RunView]) -> None:
        for name, run in runs.items():
            if not run.interrupted:
                self._tell(name, run.status)

    def _tell(self, name: str, status: LoadStatus) -> None:
        """Report a status that is news, or whose last report is old; ended ones are repeated rarely."""
        news = (status.generation, status.phase, status.reason)
        told, when = self._reported.get(name, ((), 0.0))
        age = self._clock() - when
        if told != news or age >= (LONGEST_WAIT_S if status.phase.ended else REPORT_S):
            try:
                self._control.report(name, status)
            except Rejected as error:  # this load's own trouble (deleted meanwhile, say): the others go on
                _log.warning("load %s: %s", name, error.detail)
            self._reported[name] = (news, self._clock())

    def _away(self, error: PhoenixError) -> None:
        """Wait longer after each failure, at most LONGEST_WAIT_S, each host a different time."""
        self._failures += 1
        wait = min(LONGEST_WAIT_S, POLL_S * 2 ** min(self._failures - 1, 10))
        if isinstance(error, NotAllowed):
            wait = LONGEST_WAIT_S  # a refused token does not get better by asking often
        self._next_poll = self._clock() + wait * (0.5 + 0.5 * self._chance())
        self._complain(error.detail)

    def _complain(self, what: str) -> None:
        """One line when the trouble begins, changes or ends; not one for each attempt."""
        if what != self._complaint:
            _log.log(logging.WARNING if what else logging.INFO, "%s", what or "the control plane answers again")
            self._complaint = what


@contextlib.contextmanager
def lock(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process alone; the kernel lets go of it however the process ends."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "loadsim.lock").open("w")
    except OSError as error:
        raise Unavailable(f"data folder {data_dir}: {error.strerror}", hint="choose a writable --data-dir") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another load agent runs with data folder {data_dir}") from error
        yield
