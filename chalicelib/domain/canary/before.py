"""What was measured before the arms were told apart: every host on the baseline. It is the covariate of the estimate.

Measured once, at the end of the pre-period, and kept with experiment and evidence: later looks read it and cannot
change it. Values only; `measuring` makes them.
"""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.canary.assignment import Assignment
from chalicelib.domain.model import Value

MIN_SHARE = 0.9
"""Of its due scrapes every host must have delivered."""


class HostBefore(Value):
    """One host in the pre-period: the sums over its complete scrapes. due: scrapes that were to come."""

    host: str
    scrapes: int = Field(ge=0)
    due: int = Field(ge=1)
    raw: int = Field(ge=0)
    series: int = Field(ge=0)
    """Of the baseline."""
    markers: tuple[str, ...] = ()
    """Of the configuration that was measured."""

    @property
    def thin(self) -> bool:
        """Whether it says too little about the host."""
        return self.scrapes < MIN_SHARE * self.due or self.series <= 0

    @property
    def mean(self) -> float:
        """Series a scrape; 0 where nothing was measured."""
        return self.series / self.scrapes if self.scrapes else 0.0


class PrePeriod(Value):
    """Its window by the control plane's clock (Unix nanoseconds), and its hosts."""

    start_ns: int
    end_ns: int
    hosts: tuple[HostBefore, ...]

    def thin(self) -> tuple[HostBefore, ...]:
        """Hosts that were not measured well enough; none: the arms may be told apart."""
        return tuple(one for one in self.hosts if one.thin)


class Canary(Value):
    """All that the evaluation of a canary needs beside its measurements."""

    assignment: Assignment
    before: PrePeriod

    def expected(self) -> dict[str, float]:
        """Host to its series a scrape on the baseline, as it was before."""
        return {one.host: one.mean for one in self.before.hosts}
