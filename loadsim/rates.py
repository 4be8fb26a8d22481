"""Starts and ends a second, counted over the last half minute. Pure: counts and times come in, rates go out."""

from __future__ import annotations

from collections import deque

from chalicelib.domain.load import LoadRates

WINDOW_S = 30.0
LEAST_S = 5.0
"""Less than this is too little to say."""


class RateMeter:
    """Fed with running totals; `reset` where what was asked changes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def reset(self) -> None:
        """Forget what was counted."""
        self._seen.clear()

    def note(self, now: float, started: int, ended: int) -> None:
        """The totals of starts and ends so far, at a time in seconds."""
        self._seen.append((now, started, ended))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    def rates(self, asked: float) -> LoadRates | None:
        """What was achieved beside what is asked; None while too little was seen."""
        if not self._seen:
            return None
        (begin, started, ended), (now, starts, ends) = self._seen[0], self._seen[-1]
        if (span := now - begin) < LEAST_S:
            return None
        return LoadRates(
            asked=round(asked, 3),
            starts=round((starts - started) / span, 3),
            ends=round((ends - ended) / span, 3),
            seconds=round(span, 1),
        )
