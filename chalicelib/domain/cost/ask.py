"""What somebody wants to know about cost. Bounds and forms only."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.domain.cost.bill import Allotments
from chalicelib.domain.cost.payback import Investment
from chalicelib.domain.cost.price_book import NAME, Amount
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds

MAX_FLEET = 10_000_000
LONGEST_WINDOW_S = 31 * 86400.0


def _labels(value: object) -> object:
    """ "role=web,team=a" as a mapping."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part]
    if any(not key or not sign for key, sign, _ in pairs):
        raise ValueError("write labels as key=value,key=value")
    return {key: given for key, _, given in pairs}


Labels = Annotated[dict[str, str], BeforeValidator(_labels), Field(max_length=32)]


class CostQuestion(Value):
    """Which streams, which window, which prices."""

    window: Seconds = Field(default=86400, ge=60, le=LONGEST_WINDOW_S)
    """How far back; a deployment counts from its current version on, an experiment has its own window."""
    price_book: str = Field(default="example-2026", pattern=NAME)
    deployment: str = Field(default="", max_length=63)
    pipeline: str = Field(default="", max_length=63)
    """Deployments whose current version is of this pipeline."""
    experiment: str = Field(default="", max_length=63)
    """The candidate against the baseline of this experiment, instead of deployments against the untouched stream."""
    labels: Labels = Field(default_factory=dict)
    """Hosts that have all of these."""
    fleet: int | None = Field(default=None, ge=1, le=MAX_FLEET)
    """Hosts to project to."""
    allotments: Allotments = "applied"
    bytes_per_point: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Where a book charges by the gigabyte and the exporter has not counted."""
    once: Amount = 0
    """What it costs to get there."""
    per_month: Amount = 0
    """What it costs to run."""

    @model_validator(mode="after")
    def _one_kind(self) -> CostQuestion:
        if self.experiment and (self.deployment or self.labels or self.pipeline):
            raise ValueError("an experiment has its own hosts: leave deployment, pipeline and labels out")
        return self

    @property
    def investment(self) -> Investment | None:
        """None when nothing was given."""
        return Investment(once=self.once, per_month=self.per_month) if self.once or self.per_month else None
