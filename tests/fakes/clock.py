"""A clock that stands still until a test moves it, and chance that repeats: for whole runs in milliseconds."""

from __future__ import annotations

START = 1_800_000_000.0
"""An ordinary Unix second."""


class SettableClock:
    """`Clock` whose time only a test changes."""

    def __init__(self, now: float = START) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Time never goes back."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds


class CountedEntropy:
    """`Entropy` that counts: the same run gives the same identifiers, and never one twice."""

    def __init__(self) -> None:
        self._count = 0

    def uid(self) -> str:
        self._count += 1
        return f"{self._count:026d}"

    def secret(self) -> str:
        self._count += 1
        return f"{self._count:043d}"
