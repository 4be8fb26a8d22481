"""An evaluation in short, for where many experiments are shown at once. Nothing is computed here."""

from __future__ import annotations

from chalicelib.domain.evaluation.result import Evaluation, MinutesLeft
from chalicelib.domain.model import Value

MOST = 300
"""Characters of what it waits for."""


class Progress(Value):
    """The reduction with its interval, the time left, and what is waited for, as of the latest evaluation."""

    target: float | None
    """None: no reduction of series was asked for."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """None while too early for an interval."""
    minutes_left: MinutesLeft | None = None
    waiting_for: str = ""
    """The first reason for waiting; "" once there is a verdict."""


def progress_of(evaluation: Evaluation) -> Progress:
    """The short form of an evaluation."""
    found = evaluation.reduction
    return Progress(
        target=found.target,
        value=found.value,
        low=found.low,
        high=found.high,
        minutes_left=evaluation.minutes_left if evaluation.verdict is None else None,
        waiting_for=next(iter(evaluation.waiting_for), "")[:MOST],
    )
