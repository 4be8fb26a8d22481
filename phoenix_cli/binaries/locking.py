"""One builder at a time: an advisory lock on a file that the kernel releases when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.5


class LockTimeout(Exception):
    """Somebody else held the lock until the deadline."""


@contextmanager
def exclusive(path: Path, *, seconds: float, waiting: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock at `path`; `waiting(elapsed seconds)` is called while another process holds it.

    Raises LockTimeout after `seconds`, OSError when the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        start = time.monotonic()
        while not _taken(descriptor):
            elapsed = time.monotonic() - start
            if elapsed >= seconds:
                raise LockTimeout(f"another process held {path} for {seconds:.0f} s")
            waiting(elapsed)
            time.sleep(min(RETRY_SECONDS, seconds))
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
