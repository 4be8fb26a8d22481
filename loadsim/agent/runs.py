"""The runs of this host: starts generators as child processes, ends them, and remembers which generations are over.

It does what it is told (agent.py decides). A record on disk per load survives the agent: a load that has ended is not
started again by a restarted agent, and one that was cut short gets only the time it had left.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.load import DURATION_REACHED, DesiredLoad, LoadPhase, LoadStatus
from chalicelib.domain.model import Value
from loadsim.processes.marker import VARIABLE, marked
from loadsim.status_file import read_status

KILL_AFTER_S = 6.0
"""A generator that was asked to end and has not by then is killed; its watchdog ends its processes."""
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunView:
    """One load as it is now. interrupted: an earlier agent ran it and it neither runs nor has come to its end."""

    generation: int
    status: LoadStatus
    interrupted: bool = False


class Record(Value):
    """What is remembered of a load: which generation ran, until when it may, and how it ended."""

    generation: int
    deadline: float
    """Unix seconds."""
    ended: LoadStatus | None = None


def mark_prefix(data_dir: Path) -> str:
    """How the run ids of one data folder begin: unique to it, so that two agents never touch each other's processes."""
    return f"agent-{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:10]}-"


class Runs:
    """All runs under one data folder. Use as a context manager: leaving it ends every run. Main thread only."""

    def __init__(self, data_dir: Path, *, wall: Callable[[], float]) -> None:
        self._folder = data_dir.resolve() / "loadsims"
        self._wall = wall
        self._prefix = mark_prefix(data_dir)
        self._records: dict[str, Record] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._kill_at: dict[str, float] = {}

    def __enter__(self) -> Runs:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"data folder {self._folder}: {error.strerror}") from error
        self._end_orphans()
        for path in self._folder.glob("*.record.json"):
            with contextlib.suppress(OSError, ValidationError):
                self._records[path.name.removesuffix(".record.json")] = Record.model_validate_json(path.read_bytes())
        for name, record in list(self._records.items()):
            status = read_status(self._status_path(name)) if record.ended is None else None
            # Only the end that comes by itself: a run that was taken along when its agent ended is resumed.
            if status is not None and status.phase.ended and status.reason == DURATION_REACHED:
                self._finish(name, status)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every run, within KILL_AFTER_S. Their records stay open: a later agent resumes them. One that says it has
        come to its end, and whose process was only not reaped yet, is recorded with that."""
        for name in list(self._processes):
            status = read_status(self._status_path(name))
            if status is not None and status.phase.ended:
                self._finish(name, status)
            self.stop(name)
        deadline = time.monotonic() + KILL_AFTER_S
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _end_orphans(self) -> None:
        """The watchdogs have ended what an earlier agent left; this is for the case that they could not."""
        for pid in marked(self._prefix):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def start(self, load: DesiredLoad) -> None:
        """Start the generator of `load`, for the time its generation has left. Not while an earlier one is alive."""
        known = self._records.get(load.name)
        now = self._wall()
        resumed = known is not None and known.generation == load.generation
        deadline = known.deadline if known is not None and resumed else now + load.spec.duration_s
        last = read_status(self._status_path(load.name)) if resumed else None
        # First the status, then the record: a status on disk is always of the generation on record.
        self._status_path(load.name).unlink(missing_ok=True)
        self._remember(load.name, Record(generation=load.generation, deadline=deadline))
        if deadline - now < 1.0:
            over = LoadStatus(phase=LoadPhase.STOPPED, ended_at=now, reason=DURATION_REACHED)
            counted = {"spawned": last.spawned, "restarts": last.restarts} if last else {}
            self._finish(load.name, over.model_copy(update=counted))
            return
        run_id = f"{self._prefix}{load.name}-{load.generation}"
        command = [sys.executable, "-m", "loadsim", "run", "--die-with-parent", "--run-id", run_id]
        command += ["--spec", load.spec.model_dump_json(by_alias=True), "--duration", f"{deadline - now:.3f}"]
        command += ["--elapsed", f"{max(0.0, load.spec.duration_s - (deadline - now)):.3f}"]
        command += ["--status-file", str(self._status_path(load.name))]
        environment = {key: value for key, value in os.environ.items() if key != "PHOENIX_TOKEN"}
        environment |= {
            VARIABLE: run_id,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.getenv("PYTHONPATH")))),
        }
        try:
            # Standard input is the lifeline: only this process holds its other end. A session of its own, so that
            # Ctrl-C reaches the agent alone, which then ends its runs in order.
            self._processes[load.name] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        except OSError as error:
            reason = f"the generator could not be started: {error.strerror}"
            self._finish(load.name, LoadStatus(phase=LoadPhase.FAILED, ended_at=now, reason=reason))

    def stop(self, name: str) -> None:
        """Ask the run to end; `look` sees to it that it does. Asking again changes nothing."""
        if name in self._processes and name not in self._kill_at:
            self._processes[name].terminate()
            self._kill_at[name] = time.monotonic() + KILL_AFTER_S

    def forget(self, name: str) -> None:
        """Drop the record of a load that has ended and that nobody wants to know of."""
        self._records.pop(name, None)
        for path in (self._record_path(name), self._status_path(name)):
            path.unlink(missing_ok=True)

    def look(self) -> Mapping[str, RunView]:
        """Every load on record by name, as it is now. Reaps those that have ended."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None:
                self._reaped(name, process.returncode)
            elif time.monotonic() > self._kill_at.get(name, float("inf")):
                process.kill()
        return {name: self._view(name, record) for name, record in self._records.items()}

    def _view(self, name: str, record: Record) -> RunView:
        status, interrupted = record.ended, False
        if status is None:
            interrupted = name not in self._processes
            status = None if interrupted else read_status(self._status_path(name))
        status = status or LoadStatus(phase=LoadPhase.STARTING)
        return RunView(record.generation, status.model_copy(update={"generation": record.generation}), interrupted)

    def _reaped(self, name: str, code: int) -> None:
        process = self._processes.pop(name)
        if process.stdin is not None:
            process.stdin.close()
        self._kill_at.pop(name, None)
        status = read_status(self._status_path(name))
        if status is None or not status.phase.ended:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            lost = {"phase": LoadPhase.FAILED, "running": 0, "names": (), "ended_at": self._wall()}
            lost["reason"] = f"the generator ended unexpectedly ({how})"
            status = (status or LoadStatus(phase=LoadPhase.FAILED)).model_copy(update=lost)
        self._finish(name, status)

    def _finish(self, name: str, status: LoadStatus) -> None:
        self._remember(name, self._records[name].model_copy(update={"ended": status}))

    def _remember(self, name: str, record: Record) -> None:
        self._records[name] = record
        path = self._record_path(name)
        temporary = path.with_suffix(".new")
        try:
            temporary.write_text(record.model_dump_json(by_alias=True), encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from error

    def _record_path(self, name: str) -> Path:
        return self._folder / f"{name}.record.json"

    def _status_path(self, name: str) -> Path:
        return self._folder / f"{name}.status.json"
