"""A prediction as it is kept: two pipelines on one recording, their figures, and the conditions they hold under.

Names of processes are not kept: they are the recorded host's business.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.model import Value
from chalicelib.domain.prediction.figures import PipelineFigures

KEPT_SECONDS = 90 * 86400
"""How long a prediction is remembered."""
MAX_OF_PAIR = 10
"""Predictions of one pair of pipelines that are remembered, the newest."""
MAX_PAIRS = 500
"""Pairs of pipelines of one tenant with predictions."""


class Conditions(Value):
    """What was replayed."""

    recording: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the recording."""
    host: str = Field(max_length=253)
    """Where it was recorded, as the recording says."""
    started_at: float = Field(ge=0, le=2**33)
    seconds: float = Field(ge=0, le=30 * 86400)
    interval_s: float = Field(ge=0.5, le=3600)
    scrapes: int = Field(ge=1, le=1_000_000)
    processes: float = Field(ge=0, le=1_000_000)
    """Mean per scrape."""
    complete: bool
    """False: the recorder was killed, and the file ends early."""
    redacted: bool
    """Whether any attribute was changed."""
    collector_version: str = Field(default="", max_length=64)
    """Of the collector that replayed."""
    price_book: str = Field(max_length=64)


class PredictionDraft(Value):
    """What a preview offers to be kept."""

    baseline: PipelineFigures
    candidate: PipelineFigures
    raw_series: float = Field(ge=0, le=2**53)
    """Mean data points per scrape of the recording itself, without helper metrics."""
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    conditions: Conditions
    notes: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _of_these_patterns(self) -> PredictionDraft:
        ids = {pattern.id for pattern in self.critical}
        for figures in (self.baseline, self.candidate):
            if {kept.pattern for kept in figures.critical} - ids:
                raise ValueError("figures name a critical pattern that is not among `critical`")
            if any(kept.kept > kept.seen for kept in figures.critical):
                raise ValueError("more critical processes kept than seen")
        return self


class Prediction(PredictionDraft):
    """Kept. Times are Unix seconds by the control plane's clock."""

    uid: str
    created_at: float
    created_by: str


class Predictions(Value):
    """All predictions of one pair of pipelines that are remembered, oldest first. pair: which two, by content."""

    pair: str
    kept: tuple[Prediction, ...] = ()

    def add(self, prediction: Prediction) -> Predictions:
        """With one more; the oldest make room."""
        return self.model_copy(update={"kept": (*self.kept, prediction)[-MAX_OF_PAIR:]})

    def before(self, moment: float) -> Prediction | None:
        """The latest one made before a moment (Unix seconds), or None."""
        return next((one for one in reversed(self.kept) if one.created_at < moment), None)

    @property
    def expires_at(self) -> float:
        """When the newest one is forgotten."""
        return max((one.created_at for one in self.kept), default=0.0) + KEPT_SECONDS
