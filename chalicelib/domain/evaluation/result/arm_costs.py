"""What the arms' own collectors cost, as values: dedicated mode only. Computed in measures; part of the evaluation."""

from __future__ import annotations

from typing import Literal

from chalicelib.domain.evaluation.interval import Batch
from chalicelib.domain.model import Value


class ArmRatio(Value):
    """Candidate's collector to baseline's, paired by interval, summed over the hosts, with the interval of a ratio of
    sums. cpu: CPU-seconds of each interval, from counters. memory: resident bytes."""

    kind: Literal["cpu", "memory"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """None with fewer than 16 pairs, or where an arm's collector used nothing."""
    pairs: int
    minutes: float
    batches: tuple[Batch, ...] = ()
    """a: baseline, b: candidate."""


class Measuring(Value):
    """What measuring in dedicated mode costs the hosts together, while the experiment runs. None: not measured."""

    cpu_share: float | None = None
    """Of one core: the candidates' collectors, which run beside those of the baseline."""
    rss_mean_bytes: float | None = None
    """The same in memory."""
    sent_bytes: int | None = None
    """Counts sent to Phoenix by all collectors in the window, OTLP bytes before compression."""
