"""What one simulated process does after it was forked: take its name, its memory, its share of CPU, and wait for the
end of its parents. Standard library only (see kernel.py). It must not print, log, or return.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from loadsim.kernel import Kernel
from loadsim.patterns import Curve, cpu_share, memory_level

FAILED = 71
"""Exit status when a process could not become what it should be (EX_OSERR of sysexits.h)."""
_SLICE_S = 0.25
_LEAST_WORK_S = 0.002
_MEMORY_S = 1.0
"""Memory changes at most so often, and twenty times a period."""


def live(order: Mapping[str, Any], kernel: Kernel, parent: int, lifelines: tuple[int, int], ready: int) -> None:
    """Become the process of `order` until a lifeline closes or the parent is gone. Never returns.

    order: name, argv, memory (kind, highest in bytes, period in s), cpu (kind, share of a core, period in s), seed.
    lifelines: read ends of pipes that the generator and the spawner hold open; ready: where the pid is written
    (4 bytes, little-endian) once all is set.
    """
    try:
        kernel.die_with(parent)
        _let_go(keep={*lifelines, ready})
        kernel.rename(order["name"], order["argv"])
        kind, highest, period = order["memory"]
        memory = _Memory(kind, highest, period, order["seed"])
        os.write(ready, os.getpid().to_bytes(4, "little"))
        os.close(ready)
        kind, share, period = order["cpu"]
        gone = _watch(lifelines, parent)
        if share > 0 or memory.changes:
            _work(cpu_share(kind, share, period, order["seed"]), share, memory, gone)
        while not gone(None):
            pass
    except BaseException:  # the fork must never fall back into the spawner's loop, whatever happens here
        os._exit(FAILED)
    os._exit(0)


def _let_go(keep: set[int]) -> None:
    """Ordinary signals, and none of the spawner's files: a command pipe held here would hide the spawner's death."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    low = 3
    for fd in sorted(keep):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, low + 256)


class _Memory:
    """Private memory of which so many pages are touched, and so resident, as its pattern says."""

    def __init__(self, kind: str, highest: int, period: float, seed: int) -> None:
        self._pages, self._held = highest // mmap.PAGESIZE, 0
        self._level = memory_level(kind, period, seed)
        self.changes = kind != "steady" and self._pages > 1
        self.every_s = max(_MEMORY_S, period / 20.0)
        self._next = 0.0
        if self._pages:
            size = self._pages * mmap.PAGESIZE
            # All pages in one call: cheaper than a page fault for each.
            populate = 0 if self.changes else mmap.MAP_POPULATE
            self._map = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate)
            if self.changes:
                with contextlib.suppress(OSError):  # a kernel without huge pages has no such advice
                    self._map.madvise(mmap.MADV_NOHUGEPAGE)
            self.hold(0.0)

    def hold(self, age: float) -> None:
        """Touch or give back pages, so that as many are resident as is right at this age (s)."""
        if age < self._next:
            return
        self._next = age + self.every_s
        wanted = int(self._pages * self._level(age))
        page, held, self._held = mmap.PAGESIZE, self._held, wanted
        if wanted > held:
            self._map[held * page : wanted * page : page] = b"\1" * (wanted - held)
        elif wanted < held:
            self._map.madvise(mmap.MADV_DONTNEED, wanted * page, (held - wanted) * page)


def _watch(lifelines: tuple[int, int], parent: int) -> Callable[[float | None], bool]:
    """A function that waits up to its argument (ms; None: for ever, at no cost) and says if this process must end."""
    poll = select.poll()
    for fd in lifelines:
        poll.register(fd, select.POLLIN)  # nobody writes into a lifeline: the only event is its end

    def gone(timeout_ms: float | None) -> bool:
        return bool(poll.poll(timeout_ms)) or os.getppid() != parent

    return gone


def _work(share_at: Curve, share: float, memory: _Memory, gone: Callable[[float | None], bool]) -> None:
    """Burn CPU in short slices and change memory; what this process has really used is subtracted, waking up included.

    A backlog (the machine was busy elsewhere) is dropped beyond twenty slices: the load never piles up.
    """
    pause = max(_SLICE_S, _LEAST_WORK_S / share) if share > 0 else memory.every_s
    pause = min(pause, memory.every_s) if memory.changes else pause
    clock, used = time.monotonic, time.process_time
    begin = last = clock()
    goal = used()
    while not gone(1000.0 * pause):
        now = clock()
        if memory.changes:
            memory.hold(now - begin)
        if share <= 0:
            continue
        goal += share_at(now - begin) * (now - last)
        last = now
        goal = min(goal, used() + 20.0 * share * pause)
        while used() < goal:
            for _ in range(500):
                pass
