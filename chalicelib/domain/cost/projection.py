"""From measured hosts to a fleet: the estimate of a total with its interval. Pure statistics on per-host means.

Source: W. G. Cochran, Sampling Techniques, 3rd ed., chapter 2: for a simple random sample of n of N hosts, the total is
N·ȳ, and its interval N·ȳ ± t(0.975, n-1)·N·s/sqrt(n)·sqrt(1 - n/N). With every host measured nothing is estimated and
the interval has no width. The quantiles are checked against scipy by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from chalicelib.domain.model import Value

LEVEL = 0.95
LEAST_HOSTS = 3
"""With fewer, the spread between hosts cannot be judged."""
T975 = {
    2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093,
    29: 2.045, 59: 2.001, 119: 1.980,
}  # fmt: skip
"""t(0.975) by degrees of freedom; those between are rounded down, which errs on the wide side."""


class Total(Value):
    """The total of a fleet. low and high are None when there is no interval; reason says why."""

    estimate: float
    low: float | None = None
    high: float | None = None
    reason: str = ""


def fleet_total(per_host: Sequence[float], fleet: int) -> Total | None:
    """The total over `fleet` hosts, of which `per_host` were measured; None when none was, or more than there are."""
    n = len(per_host)
    if n == 0 or fleet < n:
        return None
    mean = sum(per_host) / n
    estimate = mean * fleet
    if n == fleet:
        return Total(estimate=estimate, low=estimate, high=estimate)
    if n < LEAST_HOSTS:
        return Total(
            estimate=estimate,
            reason=f"no interval: {n} measured host{'' if n == 1 else 's'}, at least {LEAST_HOSTS} are needed",
        )
    spread = sqrt(sum((value - mean) ** 2 for value in per_host) / (n - 1))
    half = t975(n - 1) * fleet * spread / sqrt(n) * sqrt(1 - n / fleet)
    return Total(estimate=estimate, low=estimate - half, high=estimate + half)


def t975(freedom: int) -> float:
    """The quantile for at least two degrees of freedom."""
    return T975[max(known for known in T975 if known <= freedom)]
