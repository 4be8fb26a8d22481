"""Which key is worked on next: a keyed queue with deadlines and backoff. Pure: times and chance are arguments."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

K = TypeVar("K")
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0


def backoff(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row (1 is the first): doubled each time, at most 60, and of that
    between a half and all by chance (0 to 1), so that many do not come back at once."""
    longest = min(FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 16), LONGEST_BACKOFF_S)
    return longest * (0.5 + chance / 2)


class KeyedQueue(Generic[K]):
    """Each key is there once, however often it is added, and is never taken by two at once."""

    def __init__(self) -> None:
        self._ready: dict[K, None] = {}
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._later: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = 0
        self._failures: dict[K, int] = {}

    def __len__(self) -> int:
        """How many are ready to be taken."""
        return len(self._ready)

    def add(self, key: K) -> None:
        """It is to be worked on as soon as may be; in work already: once more afterwards."""
        if key in self._working:
            self._again.add(key)
        else:
            self._ready.setdefault(key)

    def add_at(self, key: K, when: float) -> None:
        """It is to be worked on at a time at the latest; an earlier time that was asked for stays."""
        if self._later.get(key, when + 1) <= when:
            return
        self._later[key] = when
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, key))

    def take(self, now: float) -> K | None:
        """The next key, which is in work from now on; None when nothing is due. What was asked for it at a later time
        is forgotten: whoever works on it says anew when to look again."""
        self._wake(now)
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        self._later.pop(key, None)
        self._working.add(key)
        return key

    def soonest(self) -> float | None:
        """When the next key falls due that waits for a time; None when none waits."""
        while self._heap and self._later.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def done(self, key: K, again_at: float | None = None) -> None:
        """The work on it succeeded. again_at: when to look again though nothing changes."""
        self._failures.pop(key, None)
        self._release(key, again_at)

    def failed(self, key: K, now: float, chance: float) -> float:
        """The work on it failed: it comes again after a backoff (or at once, when something changed meanwhile).
        Returns the seconds of the backoff."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = backoff(self._failures[key], chance)
        self._release(key, now + wait)
        return wait

    def _release(self, key: K, again_at: float | None) -> None:
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif again_at is not None:
            self.add_at(key, again_at)

    def _wake(self, now: float) -> None:
        while (when := self.soonest()) is not None and when <= now:
            key = heapq.heappop(self._heap)[2]
            del self._later[key]
            self.add(key)
