"""A promotion in stages: which hosts get the winner when, how long each stage is watched, and what watching found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from pydantic import Field, model_validator

from chalicelib.domain.model import Value
from chalicelib.domain.units import Ratio, Seconds

MIN_SCRAPES = 3
"""Scrapes of every host in a stage before the stage can pass: two in a row confirm a loss, and the newest is not yet
whole."""


class Rollout(Value):
    """Shares of the hosts that have the winner after each stage, and how long each is watched before the next.

    With a soak, a stage passes only when every host of it was measured: what could not be measured does not pass.
    """

    stages: tuple[Ratio, ...] = Field(default=(1.0,), min_length=1, max_length=10)
    """Shares of the hosts that have the winner after each stage, rising to all of them."""
    soak: Seconds = Field(default=0, ge=0, le=7 * 86400)
    """How long each stage is watched before the next."""

    @model_validator(mode="after")
    def _rising(self) -> Rollout:
        if any(not 0 < share <= 1 for share in self.stages):
            raise ValueError("each stage is a share of the hosts: more than 0 %, at most 100 %")
        if list(self.stages) != sorted(set(self.stages)) or self.stages[-1] != 1:
            raise ValueError("stages rise and end with all hosts, such as [10%, 50%, 100%]")
        return self

    def hosts(self, stage: int, targets: Sequence[str]) -> tuple[str, ...]:
        """Hosts that have the winner in this stage (0 is the first): at least one, in the order of the targets."""
        return tuple(targets[: max(1, ceil(self.stages[stage] * len(targets) - 1e-9))])


@dataclass(frozen=True)
class Watched:
    """One promoted host. scrapes: whole ones that were measured since it runs the winner. lost: critical processes that
    the raw stream had and the winner's output had not, confirmed, in words; "" for none."""

    scrapes: int = 0
    lost: str = ""
