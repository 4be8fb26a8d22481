"""A log file of bounded size for output of others: the current file and a few older ones, readable by the owner alone.

Secrets are taken out before a line is written. A full disk loses lines, never the host.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 5 * 1024 * 1024
KEEP = 3


class RotatingLog:
    """Lines to `path`; at `max_bytes` it becomes `path.1` and so on up to `path.<keep>`. Safe from several threads."""

    def __init__(
        self, path: Path, *, clean: Callable[[str], str], max_bytes: int = MAX_BYTES, keep: int = KEEP
    ) -> None:
        self._path = path
        self._clean = clean
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._size = 0
        self.lost_lines = 0

    def write(self, line: str) -> None:
        """Append one line. What cannot be written is counted in `lost_lines`."""
        data = (self._clean(line) + "\n").encode("utf-8", "replace")
        with self._lock:
            try:
                self._room_for(len(data))
                assert self._descriptor is not None  # noqa: S101 (just opened; for the type checker)
                os.write(self._descriptor, data)
                self._size += len(data)
            except OSError:
                self.lost_lines += 1

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        with self._lock:
            self._close()

    def _room_for(self, size: int) -> None:
        if self._descriptor is None:
            self._open()
        if self._size and self._size + size > self._max_bytes:
            self._close()
            for number in range(self._keep, 0, -1):
                older = self._path if number == 1 else self._numbered(number - 1)
                with suppress(FileNotFoundError):
                    older.replace(self._numbered(number))
            self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
