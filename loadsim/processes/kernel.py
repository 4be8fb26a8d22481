"""The few Linux calls that give a process its own name, command line and end. Standard library only, and little of it:
the spawner imports this in a bare interpreter (`-I -S`), and every import costs each simulated process memory.

Sources: prctl(2), PR_SET_MM(2const), proc_pid_stat(5); struct prctl_mm_map in linux/prctl.h.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

TYPE_CHECKING = False  # as in typing, which would cost each simulated process its memory
if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_MM, _PR_SET_MM_MAP = 1, 15, 35, 14
_KEEP_EXECUTABLE = 0xFFFFFFFF
_SIGKILL = 9
_LAYOUT = struct.Struct("=11QQII")


class Kernel:
    """Bound to this process's libc; made once before forking. Raises OSError where this is not Linux."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError(f"loadsim needs Linux (prctl and /proc); this is {sys.platform}")
        libc = ctypes.CDLL(None, use_errno=True)
        word = ctypes.c_ulong
        self._prctl_ = libc.prctl
        self._prctl_.argtypes = (ctypes.c_int, word, word, word, word)
        self._sbrk = libc.sbrk
        self._sbrk.argtypes, self._sbrk.restype = (ctypes.c_long,), ctypes.c_void_p
        fields = _stat_fields()
        # Numbers as in proc_pid_stat(5): code, data, start of brk and stack, arguments, environment.
        self._code, self._data = (fields[26], fields[27]), (fields[45], fields[46])
        self._start_brk, self._start_stack = fields[47], fields[28]
        self._arguments, self._environment = (fields[48], fields[49]), (fields[50], fields[51])
        self._name = ctypes.create_string_buffer(16)
        self._layout = ctypes.create_string_buffer(_LAYOUT.size)

    def die_with(self, parent_pid: int) -> None:
        """Have this process killed when the *thread* that forked it ends (PR_SET_PDEATHSIG); ends it if it has ended.

        The request is not inherited by fork, so each process makes its own; it survives exec of ordinary programs. The
        callers fork from one thread that lives as long as they do, so that the thread's end is the process's. A parent
        that died before the request took effect is noticed by its pid.
        """
        self._prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        if os.getppid() != parent_pid:
            os._exit(0)

    def rename(self, name: str, argv: Sequence[str]) -> None:
        """Set comm to the first 15 bytes of `name` and /proc/<pid>/cmdline to exactly `argv`. Forks inherit both.

        The arguments are written over this process's own, which must have been made long enough. Kernels without
        PR_SET_MM_MAP keep the old length: the rest then reads as trailing NULs, which readers of cmdline strip.
        """
        self._name.value = name.encode()[:15]
        self._prctl(_PR_SET_NAME, ctypes.addressof(self._name))
        start, end = self._arguments
        title = b"\0".join([part.encode() for part in argv]) + b"\0"
        if len(title) > end - start:
            raise ValueError(f"command line of {len(title)} bytes does not fit into {end - start}")
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, title, len(title))
        self._shrink_arguments(start + len(title))

    def _shrink_arguments(self, end: int) -> None:
        _LAYOUT.pack_into(
            self._layout,
            0,
            *self._code,
            *self._data,
            self._start_brk,
            self._sbrk(0),
            self._start_stack,
            self._arguments[0],
            end,
            *self._environment,
            0,
            0,
            _KEEP_EXECUTABLE,
        )
        # Failure is the documented fallback above, not an error.
        self._prctl_(_PR_SET_MM, _PR_SET_MM_MAP, ctypes.addressof(self._layout), _LAYOUT.size, 0)

    def _prctl(self, option: int, argument: int) -> None:
        if self._prctl_(option, argument, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def _stat_fields() -> dict[int, int]:
    """Fields 4 and on of /proc/self/stat by their number; the name (field 2) may hold anything, so cut after it."""
    with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
        parts = file.read().rpartition(")")[2].split()
    return {number: int(part) for number, part in enumerate(parts[1:], start=4)}
