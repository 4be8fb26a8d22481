"""The clock of one machine: runs the jobs that the schedule runs on AWS, in one thread, never two at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("phoenix.clock")
TICK_SECONDS = 1.0
SWEEP_EVERY_TICKS = 60


class LocalClock:
    """name: of its thread. tick and sweep are the jobs. A job that fails is logged and comes again."""

    def __init__(self, name: str, tick: Callable[[], int], sweep: Callable[[], int] | None = None) -> None:
        self._tick, self._sweep = tick, sweep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Let the job under way finish, ten seconds at most."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(TICK_SECONDS):
            _guarded(self._tick, "tick")
            count += 1
            if self._sweep and count % SWEEP_EVERY_TICKS == 0:
                _guarded(self._sweep, "sweep")


def _guarded(job: Callable[[], int], name: str) -> None:
    try:
        job()
    except Exception:
        log.exception("the %s failed; it runs again", name)
