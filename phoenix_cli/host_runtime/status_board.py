"""What the host has to tell about its collector: the present error, and the errors not yet delivered, in order.

An error that was cured before it could be sent is still sent, then its end. Not here: sending (status_report.py).
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from phoenix_cli.host_runtime.start_errors import StartError

MOST_UNDELIVERED = 16
# A failing collector is started again every 5 s, a failing supervisor every 30 s at most: silence means it runs.
SILENCE_SECONDS = 75.0


@dataclass(frozen=True)
class CollectorError:
    """A start error and when it was last seen, in unix seconds. second: of the second collector."""

    text: str
    at: float
    marker: str | None
    second: bool = False


class StatusBoard:
    """Safe from several threads. `changed` is set when there is something new to send."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self._lock = threading.Lock()
        self._current: CollectorError | None = None
        self._undelivered: deque[CollectorError | None] = deque(maxlen=MOST_UNDELIVERED)

    def failed(self, error: StartError, at: float, *, second: bool = False) -> None:
        """A collector did not start. The same error again only renews its time."""
        with self._lock:
            before, self._current = self._current, CollectorError(error.text, at, error.marker, second)
            if before is None or (before.text, before.marker, before.second) != (error.text, error.marker, second):
                self._tell(self._current)

    def runs(self) -> None:
        """The collector is up."""
        with self._lock:
            self._cured()

    def pending(self, now: float) -> CollectorError | None:
        """What to send now (unix seconds): the oldest undelivered value, else the present one."""
        with self._lock:
            if self._current and now - self._current.at > SILENCE_SECONDS:
                self._cured()
            return self._undelivered[0] if self._undelivered else self._current

    def delivered(self) -> bool:
        """What `pending` gave has arrived; whether more waits."""
        with self._lock:
            if self._undelivered:
                self._undelivered.popleft()
            return bool(self._undelivered)

    def _cured(self) -> None:
        if self._current is not None:
            self._current = None
            self._tell(None)

    def _tell(self, value: CollectorError | None) -> None:
        self._undelivered.append(value)
        self.changed.set()
