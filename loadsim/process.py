"""What one simulated process does after it was forked: take its name, its memory, its share of CPU, and wait for the
end of its parents. Standard library only (see kernel.py). It must not print, log, or return.
"""

from __future__ import annotations

import math
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from loadsim.kernel import Kernel

FAILED = 71
"""Exit status when a process could not become what it should be (EX_OSERR of sysexits.h)."""
_SLICE_S = 0.25
_LEAST_WORK_S = 0.002
_SPIKE = 0.2
"""A spiky process does all its work in this part of its period."""


def live(order: Mapping[str, Any], kernel: Kernel, parent: int, lifelines: tuple[int, int], ready: int) -> None:
    """Become the process of `order` until a lifeline closes or the parent is gone. Never returns.

    order: name, argv, memory (bytes), cpu (kind, share of a core, period in s). lifelines: read ends of pipes
    that the generator and the spawner hold open; ready: where the pid is written (4 bytes,
    little-endian) once all is set.
    """
    try:
        kernel.die_with(parent)
        _let_go(keep={*lifelines, ready})
        kernel.rename(order["name"], order["argv"])
        memory = _take_memory(order["memory"])
        os.write(ready, os.getpid().to_bytes(4, "little"))
        os.close(ready)
        kind, share, period = order["cpu"]
        gone = _watch(lifelines, parent)
        if share > 0:
            _work(_pattern(kind, share, period), share, gone)
        while not gone(None):
            pass
        del memory
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


def _take_memory(size: int) -> mmap.mmap | None:
    """Private memory, each page touched, so that it is resident."""
    if size < mmap.PAGESIZE:
        return None
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for offset in range(0, size, mmap.PAGESIZE):
        memory[offset] = 1
    return memory


def _watch(lifelines: tuple[int, int], parent: int) -> Callable[[float | None], bool]:
    """A function that waits up to its argument (ms; None: for ever, at no cost) and says if this process must end."""
    poll = select.poll()
    for fd in lifelines:
        poll.register(fd, select.POLLIN)  # nobody writes into a lifeline: the only event is its end

    def gone(timeout_ms: float | None) -> bool:
        return bool(poll.poll(timeout_ms)) or os.getppid() != parent

    return gone


def _pattern(kind: str, share: float, period: float) -> Callable[[float], float]:
    """Share of a core at t seconds; its mean over a period is `share` for every kind."""
    if kind == "spiky":
        return lambda t: share / _SPIKE if t % period < _SPIKE * period else 0.0
    if kind == "sine":
        return lambda t: share * (1.0 + math.sin(2.0 * math.pi * t / period))
    return lambda t: share


def _work(share_at: Callable[[float], float], share: float, gone: Callable[[float | None], bool]) -> None:
    """Burn CPU in short slices; what this process has really used is subtracted, waking up included.

    A backlog (the machine was busy elsewhere) is dropped beyond twenty slices: the load never piles up.
    """
    pause = max(_SLICE_S, _LEAST_WORK_S / share)
    clock, used = time.monotonic, time.process_time
    begin = last = clock()
    goal = used()
    while not gone(1000.0 * pause):
        now = clock()
        goal += share_at(now - begin) * (now - last)
        last = now
        goal = min(goal, used() + 20.0 * share * pause)
        while used() < goal:
            for _ in range(500):
                pass
