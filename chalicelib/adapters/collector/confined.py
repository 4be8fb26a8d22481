"""Run as a program: puts limits on itself, asks the kernel to end it with its parent, and becomes the collector.

`python -I -S confined.py <binary> <argument>...`. Imports nothing of Phoenix, so that it starts at once, and
that a fork inside a threaded control plane runs no Python of ours. On systems without prctl only the limits hold.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress

MAX_LOG = 4 * 1024 * 1024
_MIB = 1024 * 1024
_LIMITS = (
    (resource.RLIMIT_CPU, 20),
    (resource.RLIMIT_DATA, 1536 * _MIB),
    (resource.RLIMIT_FSIZE, MAX_LOG),
    (resource.RLIMIT_NOFILE, 512),
    (resource.RLIMIT_CORE, 0),
)
"""Seconds, bytes, bytes of any one file (its log), descriptors. A statement that doubles a text forty times must end
its collector, not the machine."""
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Become `command`; its environment is this process's."""
    for limit, value in _LIMITS:
        _, hard = resource.getrlimit(limit)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (allowed, allowed))
    parent = os.getppid()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel was asked
            sys.exit(1)
    os.execve(command[0], command, os.environ)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
