"""The spawner: a bare interpreter that forks simulated processes on command and reports their births and deaths.

It decides nothing. Run by the generator as its own small program, because forks of a small interpreter are small
(and because the marker in its environment then shows in every child's /proc/<pid>/environ). Standard library only. What
is said between the two is in orders.py.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time

from loadsim.processes.kernel import Kernel
from loadsim.processes.orders import Incoming, framed
from loadsim.processes.process import FAILED, live

TYPE_CHECKING = False  # as in typing, see kernel.py
if TYPE_CHECKING:
    from loadsim.processes.orders import StartOrder

NAME = "phx-loadsim"
PADDING = "-" * 480
"""Last argument of the spawner: keeps room for the command lines that are written over it (kernel.py)."""
TOGETHER_S = 0.05
"""Births and ends so soon after another are reported together: each wake writes to pages that the last fork shares."""
_NULL, _LIFELINE, _OWN_LIFELINE, _READY = 0, 3, 4, 5
"""File descriptors that a child keeps: nothing (0 to 2), the two lifelines, and where it says that it is ready."""
_OWN, _BETWEEN = range(64, 70), range(70, 73)
"""Where the spawner has its own, which no child keeps: a command pipe held there would hide the spawner's death."""


class Spawner:
    """One single-threaded loop. Its children are exactly the pids in `_slots`; each is reaped as soon as it ends.

    It takes over the file descriptors of its process: see _NULL and _OWN.
    """

    def __init__(self, kernel: Kernel, lifeline: int, own_argv: tuple[str, ...] = ()) -> None:
        """lifeline: read end of a pipe that only the generator holds open. own_argv: its name and command line, put on
        again after a child's (forks inherit them); none: what was there is not needed any more."""
        self._kernel, self._own_argv = kernel, own_argv
        self._pid = os.getpid()
        self._slots: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._killed: set[int] = set()
        self._incoming = Incoming()
        self._said: list[bytes] = []
        self._arrange(lifeline)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # For the children, who wait on it: made once, so that no child makes its own.
        self._lifelines = select.poll()
        for fd in (_LIFELINE, _OWN_LIFELINE):
            self._lifelines.register(fd, select.POLLIN)  # nobody writes into a lifeline: the only event is its end

    def _arrange(self, lifeline: int) -> None:
        """Put every file descriptor where its number says who keeps it."""
        own_read, own_write = os.pipe()
        ready_read, ready_write = os.pipe()
        wake_read, wake_write = os.pipe()
        for fd, number in zip((lifeline, own_read, ready_write), _BETWEEN, strict=True):
            os.dup2(fd, number)  # first: whoever started this process chose the lifeline's number
        for fd, number in zip((0, 1, own_write, ready_read, wake_read, wake_write), _OWN, strict=True):
            os.dup2(fd, number)
        os.closerange(3, _OWN[0])
        os.closerange(_BETWEEN[-1] + 1, _BETWEEN[-1] + 257)
        for fd, number in zip(_BETWEEN, (_LIFELINE, _OWN_LIFELINE, _READY), strict=True):
            os.dup2(fd, number)
            os.close(fd)
        self._orders, self._reports, _, self._ready, self._wake, self._wake_write = _OWN
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        os.close(null)
        for fd in (self._ready, self._wake, self._wake_write):
            os.set_blocking(fd, False)

    def run(self) -> None:
        """Until the input or the lifeline ends; then no child is left."""
        poll = select.poll()
        for fd in (self._orders, _LIFELINE, self._ready, self._wake):
            poll.register(fd, select.POLLIN)
        try:
            while True:
                events = {fd for fd, _ in poll.poll()}
                if _LIFELINE in events or (self._orders in events and not self._obey()):
                    return
                if self._orders not in events:
                    time.sleep(TOGETHER_S)
                self._collect()
        finally:
            self._end_all()

    def _obey(self) -> bool:
        """Carry out what has been read; False at the end of input."""
        chunk = os.read(self._orders, 65536)
        renamed = False
        for order in self._incoming.messages(chunk):
            if order[0] == "start":
                renamed = True
                self._start(order)
            else:
                self._end(order[1])
        if renamed and self._own_argv:
            self._kernel.rename(self._own_argv[0], self._own_argv)
        return bool(chunk)

    def _start(self, order: StartOrder) -> None:
        """Fork one. It has its name and command line from its first moment on, since this process wears them."""
        slot = order[1]
        try:
            self._kernel.rename(order[2], order[3])
            pid = os.fork()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self._said.append(framed("failed", slot, f"fork: {why}"))
            return
        if pid == 0:
            signal.set_wakeup_fd(-1)
            os.dup2(_NULL, 2)
            live(order, self._kernel, self._pid, _READY, self._lifelines)
        self._slots[pid] = slot
        self._pids[slot] = pid

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
                self._said.append(framed("up", self._slots[pid], pid))
        if some_ended:
            self._reap()
        self._report()

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
        if os.waitstatus_to_exitcode(status) == FAILED:
            self._said.append(framed("failed", slot, "the process could not take its memory"))
        else:
            self._said.append(framed("down", slot, pid))

    def _end_all(self) -> None:
        for pid in self._slots:
            os.kill(pid, signal.SIGKILL)
        for pid in list(self._slots):
            os.waitpid(pid, 0)

    def _report(self) -> None:
        data = b"".join(self._said)
        self._said.clear()
        while data:
            data = data[os.write(self._reports, data) :]


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
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    own_argv = (NAME, "spawner", f"--generator={parent}")
    kernel.rename(NAME, own_argv)
    _be_the_first_to_go()
    spawner = Spawner(kernel, lifeline, own_argv)
    # No collections from here on: they would write to every object and so copy the pages that children share.
    gc.disable()
    gc.freeze()
    spawner.run()


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
