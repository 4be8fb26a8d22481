"""The answers of preview and recommend as values: what people see as tables and scripts as JSON. No rule is here.

Unlike a prediction that is kept, they name processes: whoever has the recording may see its names.
"""

from __future__ import annotations

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.metadata import ParameterValue
from chalicelib.domain.prediction.figures import Amount, MissedProcess, Names, PipelineFigures
from chalicelib.domain.prediction.prediction import Conditions


class PreviewReport(Value):
    """A candidate and what it is compared with, on one recording."""

    conditions: Conditions
    source: str
    """Where the pipelines' definitions are from, in words."""
    critical: tuple[CriticalPattern, ...]
    raw: Amount
    """Series of the recording itself, without helper metrics."""
    candidate: PipelineFigures
    against: PipelineFigures
    reduction: float | None
    """1 - candidate / against, of mean series; None when there is nothing to reduce."""
    names: Names
    """What the candidate leaves out of what `against` sends."""
    missed: tuple[MissedProcess, ...] = ()
    """Critical processes that the candidate lost, the first 20 of `missed_total`."""
    missed_total: int = 0
    against_missed_total: int = 0
    currency: str
    assumptions: tuple[str, ...] = ()


class Choice(Value):
    """One pipeline with parameters in a recommendation. place: from 1; None: left out, `why` says why."""

    place: int | None
    pipeline: str
    parameters: dict[str, ParameterValue]
    """Those that differ from the defaults."""
    figures: PipelineFigures | None
    reduction: float | None
    names_gone: int
    why: str = ""
    """Why it was left out, or why it stands behind one that costs as much."""


class RecommendReport(Value):
    """All that was tried, the best first, then those left out. experiment: the manifest that would prove the best."""

    conditions: Conditions
    source: str
    critical: tuple[CriticalPattern, ...]
    raw: Amount
    against: PipelineFigures
    choices: tuple[Choice, ...]
    experiment: str = ""
    currency: str
    assumptions: tuple[str, ...] = ()
