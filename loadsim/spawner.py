"""The spawner: a bare interpreter that forks simulated processes on command and reports their births and deaths.

It decides nothing. Run by the generator as its own small program, because forks of a small interpreter are small
(and because the marker in its environment then shows in every child's /proc/<pid>/environ). Standard library only.

Protocol, JSON lines. In: {"op": "start", "slot", "name", "argv", "seed", "memory", "cpu"} and {"op": "end", "slot"}.
Out: {"up": slot, "pid"}, {"down": slot, "pid", "how"}, {"failed": slot, "error"}. End of input ends everything.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from typing import Any

from loadsim.kernel import Kernel
from loadsim.process import FAILED, live

NAME = "phx-loadsim"
PADDING = "-" * 480
"""Last argument of the spawner: keeps room for the command lines that are written over it (kernel.py)."""


class Spawner:
    """One single-threaded loop. Its children are exactly the pids in `_slots`; each is reaped as soon as it ends."""

    def __init__(self, kernel: Kernel, lifeline: int) -> None:
        self._kernel = kernel
        self._pid = os.getpid()
        self._slots: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._killed: set[int] = set()
        own_read, self._own_write = os.pipe()
        self._lifelines = (lifeline, own_read)
        self._ready, self._ready_write = os.pipe()
        self._wake, wake_write = os.pipe()
        for fd in (self._ready, self._wake, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._input = b""

    def run(self) -> None:
        """Until the input or the lifeline ends; then no child is left."""
        poll = select.poll()
        for fd in (0, self._lifelines[0], self._ready, self._wake):
            poll.register(fd, select.POLLIN)
        try:
            while True:
                events = {fd for fd, _ in poll.poll()}
                if self._lifelines[0] in events or (0 in events and not self._obey()):
                    return
                self._collect()
        finally:
            self._end_all()

    def _obey(self) -> bool:
        """Carry out what has been read; False at the end of input."""
        chunk = os.read(0, 65536)
        *lines, self._input = (self._input + chunk).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["op"] == "start":
                self._start(order)
            else:
                self._end(order["slot"])
        return bool(chunk)

    def _start(self, order: dict[str, Any]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._say({"failed": order["slot"], "error": f"fork: {error.strerror}"})
            return
        if pid == 0:
            live(order, self._kernel, self._pid, self._lifelines, self._ready_write)
        self._slots[pid] = order["slot"]
        self._pids[order["slot"]] = pid

    def _end(self, slot: int) -> None:
        if slot in self._pids:
            os.kill(self._pids[slot], signal.SIGKILL)  # not reaped yet, so the pid is still its own
            self._killed.add(self._pids[slot])

    def _collect(self) -> None:
        """Report those that became ready, then those that ended (in this order: a short life is still a life)."""
        some_ended = bool(_drain(self._wake))
        data = _drain(self._ready)
        for offset in range(0, len(data), 4):
            pid = int.from_bytes(data[offset : offset + 4], "little")
            if pid in self._slots:
                self._say({"up": self._slots[pid], "pid": pid})
        if some_ended:
            self._reap()

    def _reap(self) -> None:
        """Those that were killed by their numbers first: a search among all children takes the kernel time for each."""
        for wanted in sorted(self._killed):
            pid, status = os.waitpid(wanted, os.WNOHANG)
            if pid:
                self._ended(pid, status)
        while self._slots:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        self._killed.discard(pid)
        slot = self._slots.pop(pid)
        del self._pids[slot]
        code = os.waitstatus_to_exitcode(status)
        if code == FAILED:
            self._say({"failed": slot, "error": "the process could not take its name or its memory"})
        else:
            self._say({"down": slot, "pid": pid, "how": f"signal {-code}" if code < 0 else f"exit {code}"})

    def _end_all(self) -> None:
        for pid in self._slots:
            os.kill(pid, signal.SIGKILL)
        for pid in list(self._slots):
            os.waitpid(pid, 0)

    @staticmethod
    def _say(event: dict[str, Any]) -> None:
        data = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        while data:
            data = data[os.write(1, data) :]


def _drain(fd: int) -> bytes:
    """All that can be read now."""
    data = b""
    while True:
        try:
            chunk = os.read(fd, 65536)
        except BlockingIOError:
            return data
        if not chunk:
            return data
        data += chunk


def main() -> None:
    """Arguments: pid of the generator, number of the lifeline's file descriptor, padding."""
    parent, lifeline = int(sys.argv[1]), int(sys.argv[2])
    kernel = Kernel()
    kernel.die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.rename(NAME, [NAME, "spawner", f"--generator={parent}"])
    _be_the_first_to_go()
    # No collections from here on: they would write to every object and so copy the pages that children share.
    gc.disable()
    gc.freeze()
    Spawner(kernel, lifeline).run()


def _be_the_first_to_go() -> None:
    """If the machine runs out of memory, the kernel should take simulated processes before anything real. In a pod its
    main process goes first, and the kubelet may have set a bound below which nobody may go: then just under that one.
    """
    for adjustment in ("500", "999"):
        try:
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write(adjustment)
            return
        except OSError as error:
            failure = error.strerror
    print(f"loadsim: oom_score_adj not set: {failure}", file=sys.stderr)
