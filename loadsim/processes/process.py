"""What one simulated process does after it was forked: take its memory, its share of CPU, and wait for the end of its
parents. Standard library only (see kernel.py), and little of it: each page that is touched here is copied for each
process. It must not print, log, or return. Its name and command line it has from its parent (spawner.py).
"""

from __future__ import annotations

import mmap
import os
import time

from loadsim.processes.kernel import Kernel
from loadsim.processes.patterns import cpu_share, memory_level

TYPE_CHECKING = False  # as in typing, see kernel.py
if TYPE_CHECKING:
    import select
    from collections.abc import Callable

    from loadsim.processes.orders import StartOrder
    from loadsim.processes.patterns import Curve

FAILED = 71
"""Exit status when a process could not become what it should be (EX_OSERR of sysexits.h)."""
_SLICE_S = 0.25
_LEAST_WORK_S = 0.002
_MEMORY_S = 1.0
"""Memory changes at most so often, and twenty times a period."""


def live(order: StartOrder, kernel: Kernel, parent: int, ready: int, lifelines: select.poll) -> None:
    """Become the process of `order` until a lifeline closes or the parent is gone. Never returns.

    order: see orders.py. ready: where the pid is written (4 bytes, little-endian) once all is set; the highest file
    descriptor that is kept until then. lifelines: waits on the pipes that the generator and the spawner hold open.
    """
    try:
        kernel.die_with(parent)
        os.closerange(ready + 1, ready + 257)
        _, _, _, _, seed, (level, highest, memory_period), (kind, share, period) = order
        if level == "steady":
            # All pages in one call: cheaper than a page fault for each. Held by its name until the end.
            held = _map(highest, mmap.MAP_POPULATE)
            memory = None
        else:
            held, memory = None, _Memory(level, highest, memory_period, seed)
        os.write(ready, os.getpid().to_bytes(4, "little"))
        os.close(ready)
        if share > 0 or memory is not None:
            gone = _watch(lifelines, parent)
            _work(cpu_share(kind, share, period, seed), share, memory, gone)
        while not lifelines.poll(None) and os.getppid() == parent:
            pass
        del held
    except BaseException:  # the fork must never fall back into the spawner's loop, whatever happens here
        os._exit(FAILED)
    os._exit(0)


def _map(size: int, populate: int) -> mmap.mmap | None:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate) if size else None


class _Memory:
    """Private memory of which so many pages are touched, and so resident, as its pattern says."""

    def __init__(self, kind: str, highest: int, period: float, seed: int) -> None:
        self._pages, self._held = highest // mmap.PAGESIZE, 0
        self._level = memory_level(kind, period, seed)
        self.every_s = max(_MEMORY_S, period / 20.0)
        self._next = 0.0
        self._map = _map(self._pages * mmap.PAGESIZE, 0)
        if self._map is not None:
            try:  # noqa: SIM105 - contextlib would cost each simulated process its memory
                self._map.madvise(mmap.MADV_NOHUGEPAGE)
            except OSError:
                pass  # a kernel without huge pages has no such advice
        self.hold(0.0)

    def hold(self, age: float) -> None:
        """Touch or give back pages, so that as many are resident as is right at this age (s)."""
        if age < self._next or self._map is None:
            return
        self._next = age + self.every_s
        wanted = int(self._pages * self._level(age))
        page, held, self._held = mmap.PAGESIZE, self._held, wanted
        if wanted > held:
            self._map[held * page : wanted * page : page] = b"\1" * (wanted - held)
        elif wanted < held:
            self._map.madvise(mmap.MADV_DONTNEED, wanted * page, (held - wanted) * page)


def _watch(lifelines: select.poll, parent: int) -> Callable[[float], bool]:
    """A function that waits up to its argument (ms) and says if this process must end."""

    def gone(timeout_ms: float) -> bool:
        return bool(lifelines.poll(timeout_ms)) or os.getppid() != parent

    return gone


def _work(share_at: Curve, share: float, memory: _Memory | None, gone: Callable[[float], bool]) -> None:
    """Burn CPU in short slices and change memory; what this process has really used is subtracted, waking up included.

    A backlog (the machine was busy elsewhere) is dropped beyond twenty slices: the load never piles up.
    """
    pauses = [max(_SLICE_S, _LEAST_WORK_S / share)] if share > 0 else []
    pause = min([*pauses, memory.every_s] if memory is not None else pauses)
    clock, used = time.monotonic, time.process_time
    begin = last = clock()
    goal = used()
    while not gone(1000.0 * pause):
        now = clock()
        if memory is not None:
            memory.hold(now - begin)
        if share <= 0:
            continue
        goal += share_at(now - begin) * (now - last)
        last = now
        goal = min(goal, used() + 20.0 * share * pause)
        while used() < goal:
            for _ in range(500):
                pass
