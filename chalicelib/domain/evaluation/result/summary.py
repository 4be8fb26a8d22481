"""An evaluation in short, for where many experiments are shown at once. Nothing is computed here but sums of it."""

from __future__ import annotations

from typing import Literal

from chalicelib.domain.evaluation.result.result import CriticalReport, Evaluation, MinutesLeft
from chalicelib.domain.evaluation.result.retained import PatternRetention
from chalicelib.domain.model import Value

MOST = 300
"""Characters of what it waits for."""


class Kept(Value):
    """How many of the critical processes the candidate kept in every scrape."""

    kept: int
    of: int
    what: Literal["processes", "process-scrapes"] = "processes"
    """process-scrapes: too many processes had misses to list them all; counted is each process in each scrape."""


class Progress(Value):
    """The reduction with its interval, critical processes, the time left, and what is waited for, as of the latest
    evaluation."""

    target: float | None
    """None: no reduction of series was asked for."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """None while too early for an interval."""
    critical: Kept | None = None
    """None while no critical process was seen."""
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
        critical=kept(evaluation.critical),
        minutes_left=evaluation.minutes_left if evaluation.verdict is None else None,
        waiting_for=next(iter(evaluation.waiting_for), "")[:MOST],
    )


def kept(report: CriticalReport) -> Kept | None:
    """All patterns together; None when none of them was seen."""
    each = [kept_processes(report, row) for row in report.patterns]
    total = sum(row.processes for row in report.patterns)
    if total == 0:
        return None
    if any(count is None for count in each):
        have, due = (sum(getattr(row, name) for row in report.patterns) for name in ("candidate", "candidate_due"))
        return Kept(kept=have, of=due, what="process-scrapes")
    return Kept(kept=sum(count or 0 for count in each), of=total)


def kept_processes(report: CriticalReport, row: PatternRetention) -> int | None:
    """Processes of a pattern without any miss; None when the list of processes was cut within those with misses."""
    lost = sum(one.pattern == row.pattern and one.candidate < one.candidate_due for one in report.processes)
    cut_short = report.processes_total > len(report.processes)
    if cut_short and report.processes and report.processes[-1].candidate < report.processes[-1].candidate_due:
        return None
    return row.processes - lost
