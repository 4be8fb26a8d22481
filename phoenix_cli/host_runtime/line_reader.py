"""A thread that turns a descriptor's bytes into lines of bounded length. Not here: what the lines mean."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

LONGEST_LINE_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
IDLE_SECONDS = 0.25


class LineReader:
    """Calls `on_line(text)` for each line and `on_idle()` about four times a second while nothing comes.

    Bytes that are not UTF-8 are replaced; a longer line is cut into pieces. The descriptor stays the caller's.
    """

    def __init__(
        self, descriptor: int, on_line: Callable[[str], None], on_idle: Callable[[], None] = lambda: None
    ) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._on_idle = on_idle
        self._stopping = threading.Event()
        self._rest = b""
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"lines-{descriptor}")

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is there already, then end; waits at most five seconds."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while True:
            ready = select.select([self._descriptor], [], [], IDLE_SECONDS)[0]
            if not ready:
                self._on_idle()
                if self._stopping.is_set():
                    break
                continue
            chunk = b""
            with suppress(OSError):
                chunk = os.read(self._descriptor, READ_BYTES)
            if not chunk:
                break
            self._feed(chunk)
        if self._rest:
            self._on_line(self._text(self._rest))

    def _feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._on_line(self._text(line))

    @staticmethod
    def _text(line: bytes) -> str:
        return line[:LONGEST_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
