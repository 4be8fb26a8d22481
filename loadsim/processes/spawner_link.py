"""The generator's end of the spawner: starts it, sends orders, reads events, makes sure that nothing outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

from chalicelib.domain.errors import Unavailable
from loadsim.population.process_spec import ProcessSpec
from loadsim.processes.marker import VARIABLE
from loadsim.processes.orders import Incoming, framed
from loadsim.processes.spawner import PADDING

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from loadsim.processes.spawner import main; main()"
_STOP_S = 3.0


class SpawnerLink:
    """One spawner process in a session of its own, and the lifeline: a pipe that only this process holds open.

    When this process ends, however it ends, the kernel closes the lifeline and each child sees its end; independently
    the kernel kills the spawner and then its children (PR_SET_PDEATHSIG). Create it in the process's only thread.
    """

    def __init__(self, run_id: str) -> None:
        lifeline, self._lifeline = os.pipe()
        # Nothing of our environment is passed on: no token, and the same few bytes in each of hundreds of processes.
        environment = {VARIABLE: run_id, "PATH": os.defpath, "LANG": "C"}
        if "LD_LIBRARY_PATH" in os.environ:  # where a shared libpython may be found
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(os.getpid()), str(lifeline), PADDING],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                pass_fds=[lifeline],
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"the load spawner could not be started: {error}") from error
        finally:
            os.close(lifeline)
        self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        os.set_blocking(self._stdout.fileno(), False)
        self._incoming = Incoming()
        self.ended = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """What to wait on for events."""
        return self._stdout.fileno()

    def start(self, spec: ProcessSpec) -> None:
        """Pass on the order to start a process. A spawner that is gone is noticed by the next `events`."""
        memory = (spec.memory.kind, spec.memory_bytes, spec.memory.period_s)
        cpu = (spec.cpu.kind, spec.cpu.share, spec.cpu.period_s)
        self._send("start", spec.slot, spec.name, spec.argv, spec.seed, memory, cpu)

    def end(self, slot: int) -> None:
        """Pass on the order to end the process of a slot."""
        self._send("end", slot)

    def _send(self, *order: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(framed(*order))

    def flush(self) -> None:
        """Hand over what was sent."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.flush()

    def events(self) -> list[tuple[Any, ...]]:
        """What the spawner has reported since the last call (orders.py). Sets `ended` when it is gone."""
        found: list[tuple[Any, ...]] = []
        while True:
            try:
                chunk = os.read(self.fileno(), 65536)
            except BlockingIOError:
                break
            if not chunk:
                self.ended = True
                break
            found += self._incoming.messages(chunk)
        return found

    def reap_adopted(self) -> None:
        """Reap processes of others that have ended and were left to this one, as orphans are to a pod's first process.
        The spawner is `close`'s to reap; once it has ended the load is over, and so is what this is for."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if ended.si_pid == self._process.pid:
                    return
                os.waitpid(ended.si_pid, os.WNOHANG)

    def close(self) -> str:
        """End every process and the spawner, within a few seconds; returns how the spawner ended."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        os.close(self._lifeline)
        self._finish_by_itself()
        # The spawner is not reaped yet, so the group's number is still its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._stdout.close()
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def _finish_by_itself(self) -> None:
        """Wait, without reaping, until the spawner has ended its children and itself, or until the deadline."""
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.02)
