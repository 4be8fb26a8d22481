"""A small process between the runtime and one child: whatever dies, nothing of that child's tree stays behind.

Runs as a program (`python -I guard.py …`) on the standard library alone, and never imports Phoenix. It starts one
command, passes SIGINT on, ends with the command's exit code, and before that ends every process the command left
(on Linux orphans come back to it: it is their subreaper). When its own parent dies by any cause, kill -9 included,
it stops the command and all below it within `--orphan-grace` seconds. When it is itself killed, the kernel interrupts
the command. The supervisor needs this: stock, it leaves its collector as an orphan on any end but SIGINT.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 1.0
SWEEP_TERM_SECONDS = 1.0
SWEEP_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """The command's exit code, 128 + signal number when a signal ended it, 127 when it cannot be started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--grace", type=float, required=True)
    parser.add_argument("--orphan-grace", type=float, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    wake, received = _receive_signals()
    child = _start(options.command)
    code = _watch(child, wake, received, options)
    _sweep()
    return code


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the poll of the parent's id does the work."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _receive_signals() -> tuple[int, set[int]]:
    """A descriptor that becomes readable on a signal, and the set in which the stop signals are noted."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    received: set[int] = set()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, frame: received.add(n))
    signal.signal(signal.SIGCHLD, lambda n, frame: None)
    return read, received


def _start(command: list[str]) -> int:
    guard = os.getpid()
    child = os.fork()
    if child:
        return child
    with suppress(BaseException):
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() == guard:
            os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)
    os.write(2, f"guard: cannot start {command[0]}\n".encode())
    os._exit(127)


def _watch(child: int, wake: int, received: set[int], options: argparse.Namespace) -> int:
    """Wait for the command, stopping it when told to or when the parent is gone."""
    kill_at = float("inf")
    while True:
        code = _reap(child)
        if code is not None:
            return code
        now = time.monotonic()
        orphaned = os.getppid() != options.parent
        if (received or orphaned) and kill_at == float("inf"):
            os.kill(child, signal.SIGINT)
            kill_at = now + (options.orphan_grace if orphaned else options.grace)
        elif orphaned:
            kill_at = min(kill_at, now + options.orphan_grace)
        if now >= kill_at:
            os.kill(child, signal.SIGKILL)
        _wait_readable(wake, min(POLL_SECONDS, max(kill_at - now, 0.05)))


def _reap(child: int) -> int | None:
    """Collect every ended process (orphans are ours too); the command's exit code once it is among them."""
    code = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                value = os.waitstatus_to_exitcode(ended[1])
                code = value if value >= 0 else 128 - value
    return code


def _wait_readable(wake: int, seconds: float) -> None:
    if select.select([wake], [], [], seconds)[0]:
        with suppress(BlockingIOError):
            os.read(wake, 1024)


def _sweep() -> None:
    """End what the command left: first SIGTERM, after a second SIGKILL, for at most five seconds."""
    start = time.monotonic()
    asked: set[int] = set()
    while (left := _children()) and (elapsed := time.monotonic() - start) < SWEEP_SECONDS:
        hard = elapsed >= SWEEP_TERM_SECONDS
        for pid in left:
            if hard or pid not in asked:
                asked.add(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
        time.sleep(0.05)
        _reap(-1)


def _children() -> list[int]:
    """Living direct children, from /proc; none on systems without it (there are no orphans to inherit there)."""
    me, found = os.getpid(), []
    with suppress(FileNotFoundError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            if _parent_of(name) == me:
                found.append(int(name))
    return found


def _parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except (OSError, IndexError):
        return -1
    return -1 if fields[0] == b"Z" else int(fields[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
