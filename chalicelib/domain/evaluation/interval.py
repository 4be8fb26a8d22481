"""The interval: how sure a ratio of sums is after a window of correlated scrapes, under a look at every scrape.

Pure arithmetic on numbers; nothing here knows what is counted, by whom, or what happens with the answer.

Method: the window is cut into M contiguous batches (batch means), the spread of the batches gives a relative standard
error, and a multiplier that assumes slow variation widens it: C0 + C1 / T for a window of T minutes. The assumption is
the argument of U. K. Müller, "HAC corrections for strongly autocorrelated series", J. Business & Economic Statistics 32
(2014): a window shorter than the correlation time holds no information about the slow part, so no estimate made from it
can repair the width. The constants were fitted by simulation (`bench/evaluation/evaluation.py` runs it on this very
rule): at most 5 % false promotions for an AR(1) of 0.9 at 15 s, 10 % at 0.97, with a look at every scrape for an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt

from chalicelib.domain.model import Value

M = 8
"""Batches."""
C0 = 6.0
"""Multiplier in the long run."""
C1 = 90.0
"""What a short window adds: minutes."""
FLOOR = 0.005
"""No interval is narrower than this on either side: rounding, or two identical streams, must not decide."""
MIN_SCRAPES = 2 * M
MAX_WIDTH = 50.0
WEEK = 10080
T99 = {
    2: 6.965,
    3: 4.541,
    4: 3.747,
    5: 3.365,
    6: 3.143,
    7: 2.998,
    8: 2.896,
    9: 2.821,
    11: 2.718,
    14: 2.624,
    19: 2.539,
    29: 2.462,
    59: 2.391,
    119: 2.358,
}
"""Student's t, quantile 0.99, by degrees of freedom (rounded down to an entry)."""


class Batch(Value):
    """One batch: how many scrapes it holds and the sums over them of the reference (a) and of what is judged (b)."""

    scrapes: int
    a: float
    b: float


@dataclass(frozen=True)
class Ratio:
    """Σb / Σa with its interval; `error` is the relative standard error, `width` the half width on the log scale.

    host_width: the part of the width that is due to differences between hosts; 0 for a claim about these hosts.
    """

    low: float
    value: float
    high: float
    error: float
    width: float
    host_width: float = 0.0


def multiplier(minutes: float) -> float:
    """How many standard errors wide the interval is after so many minutes of complete scrapes (24 at 5, 7.5 at 60)."""
    return C0 + C1 / minutes


def cut(a: Sequence[float], b: Sequence[float]) -> tuple[Batch, ...]:
    """The window in M contiguous batches of equal length, oldest first; fewer than two scrapes a batch give none."""
    n = len(a)
    if n < MIN_SCRAPES:
        return ()
    edges = [round(i * n / M) for i in range(M + 1)]
    return tuple(Batch(scrapes=j - i, a=sum(a[i:j]), b=sum(b[i:j])) for i, j in pairwise(edges))


def ratio_of(batches: Sequence[Batch], minutes: float, hosts: Sequence[tuple[float, float]] = ()) -> Ratio | None:
    """The interval of Σb / Σa from the batches of `cut`. None: too few scrapes, or a side that reports nothing.

    minutes: complete scrapes × interval, not wall clock. hosts: (Σa, Σb) of each host, three at least, only for a claim
    about hosts that were not measured ("hosts like these"); empty for a claim about these hosts in this window.
    """
    total_a, total_b = sum(x.a for x in batches), sum(x.b for x in batches)
    if len(batches) < M or total_a <= 0 or total_b <= 0:
        return None
    theta = total_b / total_a
    residues = [x.b - theta * x.a for x in batches]
    error = sqrt(M / (M - 1) * sum(r * r for r in residues)) / total_b
    host_width = _host_width(theta, total_b, hosts) if hosts else 0.0
    width = min(max(multiplier(minutes) * error, host_width), MAX_WIDTH)
    low, high = min(theta * exp(-width), theta - FLOOR), max(theta * exp(width), theta + FLOOR)
    return Ratio(low, theta, high, error, width, host_width)


def _host_width(theta: float, total_b: float, hosts: Sequence[tuple[float, float]]) -> float:
    """How far the ratio of all hosts like these may be from that of these, by how much these differ."""
    count = len(hosts)
    spread = sqrt(count / (count - 1) * sum((y - theta * x) ** 2 for x, y in hosts)) / total_b
    return T99[max(d for d in T99 if d < count)] * spread


def retention(
    a: Sequence[float], b: Sequence[float], minutes: float, hosts: Sequence[tuple[float, float]] = ()
) -> Ratio | None:
    """`ratio_of` for sums per complete scrape, oldest first."""
    return ratio_of(cut(a, b), minutes, hosts)


def answer(ratio: Ratio | None, target: float, minutes: float, min_minutes: float, last: bool) -> str:
    """What the interval alone says about "the reduction 1 - Σb/Σa is at least `target`"; "running" asks for more."""
    if ratio is None or minutes < min_minutes:
        return "insufficient_data" if last else "running"
    if 1 - ratio.high >= target:
        return "promote"
    if 1 - ratio.low < target:
        return "reject"
    return "inconclusive" if last else "running"


def minutes_left(theta: float, error: float, minutes: float, bound: float) -> float | None:
    """About how many more minutes of complete scrapes until the interval excludes `bound` (= 1 - target).

    None: more than a week, or never, since the value lies within the floor of the bound. A rough forecast: 80 % of the
    runs that decide within four hours take 0.2 to 4 times the forecast total.
    """
    if abs(bound - theta) <= FLOOR:
        return None
    total, gap = minutes, abs(log(bound / theta))
    while multiplier(total) * error * sqrt(minutes / total) > gap:
        total *= 1.05
        if total > WEEK:
            return None
    return total - minutes


def hosts_needed(hosts: int, width: float, theta: float, bound: float) -> int | None:
    """About how many hosts would decide now, if hosts vary independently. None: no number of hosts would."""
    if abs(bound - theta) <= FLOOR:
        return None
    need = hosts * (width / abs(log(bound / theta))) ** 2
    return int(need) + 1 if need <= 100_000 else None
