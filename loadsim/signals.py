"""Being asked to end: SIGTERM, SIGINT, or the death of the parent. Each wakes a `select`; nothing here acts on it."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType


class EndWatch:
    """Within its `with` block: knows whether this process was asked to end, and by what.

    with_parent: also when the parent process ends. Two independent ways find that out: the end of standard input (a
    pipe whose other end only the parent holds) and the parent's pid. Main thread only, as signal handlers are.
    """

    def __init__(self, *, with_parent: bool) -> None:
        self._with_parent = with_parent
        self._parent = os.getppid()
        self._signal: int | None = None
        self._orphan = False

    def __enter__(self) -> EndWatch:
        self._wake, self._wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        os.close(self._wake)
        os.close(self._wake_write)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    @property
    def interrupted(self) -> bool:
        """Whether it was SIGINT: a person at a keyboard."""
        return self._signal == signal.SIGINT

    @property
    def reason(self) -> str:
        """Why to end; empty while there is no reason."""
        if self._signal is not None:
            return f"asked to stop ({signal.Signals(self._signal).name})"
        if self._orphan or (self._with_parent and os.getppid() != self._parent):
            return "the parent process ended"
        return ""

    def wait(self, seconds: float, *more: int) -> list[int]:
        """Those of the file descriptors `more` that can be read: after `seconds`, sooner when something happens."""
        watched = [self._wake, *more, *([0] if self._with_parent and not self._orphan else [])]
        readable, _, _ = select.select(watched, [], [], max(0.0, seconds))
        if self._wake in readable:
            os.read(self._wake, 4096)
        if self._with_parent and 0 in readable and not os.read(0, 4096):
            self._orphan = True
        return [fd for fd in readable if fd in more]
