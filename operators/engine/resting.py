"""Workers that have nothing to do, and how one of them is woken. One event loop; knows no queue and no work.

One, not all: one change wakes a dozen times, and ten workers that look at an empty queue each time take longer than
the change itself.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Resting:
    """The workers rest here. A call to wake when nobody rests is no loss: a worker looks for work before it rests."""

    def __init__(self) -> None:
        self._idle: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def rest(self) -> None:
        """Until woken."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(woken)
        await woken

    def wake_one(self) -> None:
        """Wake whoever has rested longest."""
        while self._idle:
            woken = self._idle.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def wake_all(self) -> None:
        """Wake everybody."""
        while self._idle:
            self.wake_one()

    def wake_one_at(self, when: float | None) -> None:
        """Wake one at a time of the event loop's clock, in place of what was asked for before; None: at no time."""
        if self._timer is not None:
            if self._timer.when() == when and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = None if when is None else asyncio.get_running_loop().call_at(when, self._due)

    def _due(self) -> None:
        self._timer = None
        self.wake_one()
