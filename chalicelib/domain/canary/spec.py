"""What a user writes about a canary, and the rules that need no look outside. No assignment, no measurement."""

from __future__ import annotations

from math import floor
from typing import Literal

from pydantic import Field

from chalicelib.domain.model import Value
from chalicelib.domain.units import Ratio, Seconds

Layout = Literal["paired", "canary"]
"""paired: every host runs both arms on the same scrape. canary: every host runs one arm."""
MIN_PER_ARM = 3
"""Hosts of each arm. How much the hosts of an arm differ must be estimated from them alone: of two there is one
difference, and a quantile of Student's t with one degree of freedom (31.8) decides nothing."""
MIN_INTERVALS = 16
"""Scrapes of the pre-period: as many as the least that a window is judged by."""


class CanarySpec(Value):
    """How hosts are divided between the arms, and how long all of them run the baseline first."""

    share: Ratio = Field(default=0.5, gt=0, lt=1)
    """Share of the hosts that run the candidate."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """The same seed, hosts and sizes give the same assignment, on any machine."""
    pre_period: Seconds = Field(default=600, ge=5, le=86400)
    """How long every host is measured on the baseline, after a warm-up, before some are given the candidate."""


def arm_sizes(hosts: int, share: float) -> tuple[int, int]:
    """How many of so many hosts run the baseline and the candidate."""
    candidate = floor(hosts * share + 0.5)
    return hosts - candidate, candidate


def too_few(hosts: int, share: float) -> str:
    """Why so many hosts cannot be divided so; "" when they can."""
    sizes = dict(zip(("baseline", "candidate"), arm_sizes(hosts, share), strict=True))
    short = [f"{count} for the {arm}" for arm, count in sizes.items() if count < MIN_PER_ARM]
    if not short:
        return ""
    return (
        f"a canary needs {MIN_PER_ARM} hosts of each arm, because how much they differ is told from them alone: "
        f"{hosts} host{'' if hosts == 1 else 's'} with share {share * 100:g}% leave {' and '.join(short)}"
    )


def fewest(share: float) -> int:
    """Hosts that this share needs at least."""
    return next(hosts for hosts in range(2 * MIN_PER_ARM, 10_000_000) if not too_few(hosts, share))
