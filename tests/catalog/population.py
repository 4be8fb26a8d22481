"""Real processes for tests: idle and busy ones under any name, some of them coming and going. All end with the block.

Names come from the path that is executed (a link to `sleep`, or to the Python interpreter), so the kernel's name and
the command line are the process's own.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

HOSTILE = (
    "web server (1)",
    "naïve-日本",
    'it\'s "q"',
    "a.b*c+d[e]?",
    "back\\slash",
    "$HOME ${env:X}",
    '") or true',
    "new\nline",
    "{{.}} | $$",
)
"""Names with spaces, other scripts, quotes, regex metacharacters, expansion syntax and OTTL operators; all within
the kernel's 15 bytes."""

_BURN = """
import sys, time
share, block = float(sys.argv[1]), bytearray(b"x") * (int(sys.argv[2]) << 20)
while True:
    until = time.process_time() + 0.1 * share
    while time.process_time() < until:
        pass
    time.sleep(0.1 * (1 - share))
"""
_PR_SET_PDEATHSIG = 1
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_LIBC = ctypes.CDLL(None)


def can_choose_pids() -> bool:
    """Whether this user may say which pid the next process takes."""
    return os.access(_LAST_PID, os.W_OK)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Population:
    """Starts processes and ends every one of them on exit."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._all: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()
        self._churn: threading.Thread | None = None
        self._sleep = Path(shutil.which("sleep") or "/bin/sleep").resolve()
        self.born = 0

    def __enter__(self) -> Population:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._churn:
            self._churn.join(timeout=10)
        for process in self._all:
            process.kill()
        for process in self._all:
            process.wait(timeout=10)

    def idle(self, name: str, *arguments: str) -> int:
        """A process that sleeps; further arguments only show in its command line. Returns its pid."""
        argv0 = " ".join([name, *arguments])
        return self._start([argv0, "600"], self._link(name, self._sleep))

    def busy(self, name: str, share: float, mib: int) -> int:
        """A process that works for a share of one core and holds so many MiB. Returns its pid."""
        python = Path(sys.executable).resolve()
        return self._start([name, "-S", "-c", _BURN, str(share), str(mib)], self._link(name, python))

    def newest(self, count: int) -> list[int]:
        """Pids of the processes that were started last."""
        return [process.pid for process in self._all[-count:]]

    def again(self, pid: int, name: str) -> bool:
        """Ends our process of this pid and starts an idle one that takes its pid, if the kernel lets us say which pid
        comes next; False when it does not, or when somebody else was quicker."""
        old = next(process for process in reversed(self._all) if process.pid == pid)
        old.kill()
        old.wait(timeout=10)
        try:
            _LAST_PID.write_text(str(pid - 1))
        except OSError:
            return False
        return self.idle(name) == pid

    def churn(self, per_second: float, living: int) -> None:
        """From now on so many idle processes live, and so many a second end and are replaced under another name."""
        pool = deque(self._short() for _ in range(living))

        def turn() -> None:
            while not self._stop.wait(1 / per_second):
                oldest = pool.popleft()
                oldest.kill()
                oldest.wait(timeout=10)
                pool.append(self._short())

        self._churn = threading.Thread(target=turn, daemon=True)
        self._churn.start()

    def _short(self) -> subprocess.Popen[bytes]:
        self.born += 1
        self.idle(f"short-{self._random.randrange(40)}", f"--job={self.born}")
        return self._all[-1]

    def _link(self, name: str, target: Path) -> Path:
        link = self._folder / name
        if not link.is_symlink():
            link.symlink_to(target)
        return link

    def _start(self, argv: list[str], executable: Path) -> int:
        process = subprocess.Popen(
            argv,
            executable=str(executable),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )
        self._all.append(process)
        return process.pid
