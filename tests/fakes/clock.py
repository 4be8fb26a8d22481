"""A clock that stands still until a test moves it, and chance that repeats: for whole runs in milliseconds."""

from __future__ import annotations

from itertools import count

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
        self._numbers = count(1)

    def uid(self) -> str:
        return f"{next(self._numbers):026d}"

    def secret(self) -> str:
        return f"{next(self._numbers):043d}"
