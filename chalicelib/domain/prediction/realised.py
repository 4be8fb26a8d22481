"""Predicted against realised: the figures of a prediction beside those of an experiment. Nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.model import Value
from chalicelib.domain.prediction.figures import PatternKept
from chalicelib.domain.prediction.prediction import Prediction


class Compared(Value):
    """One figure. unit: "series" (per scrape and host) or "share". None: not predicted, or not measured yet."""

    figure: str
    unit: Literal["series", "share"]
    predicted: float | None
    realised: float | None
    difference: float | None
    """Realised against predicted: relative for series, in points of one for shares; None where one is missing."""


def figure(name: str, unit: Literal["series", "share"], predicted: float | None, realised: float | None) -> Compared:
    """With its difference."""
    difference = None
    if predicted is not None and realised is not None:
        if unit == "share":
            difference = realised - predicted
        elif predicted:
            difference = realised / predicted - 1
    return Compared(figure=name, unit=unit, predicted=predicted, realised=realised, difference=difference)


class Comparison(Value):
    """A prediction and what came of it. differs: conditions of the experiment that the recording did not have."""

    prediction: Prediction
    figures: tuple[Compared, ...]
    differs: tuple[str, ...] = ()


def compared(prediction: Prediction, experiment: Experiment, evaluation: Evaluation | None) -> Comparison:
    """The comparison; realised figures are None while nothing is evaluated."""
    return Comparison(
        prediction=prediction,
        figures=tuple(_figures(prediction, experiment, evaluation)),
        differs=tuple(_differs(prediction, experiment)),
    )


def _figures(prediction: Prediction, experiment: Experiment, evaluation: Evaluation | None) -> Iterator[Compared]:
    mean = evaluation.series.mean if evaluation else None
    hosts = max(len(experiment.hosts), 1)
    before, after = prediction.baseline.series.mean, prediction.candidate.series.mean
    for name, predicted, realised in (
        ("raw", prediction.raw_series, mean.raw if mean else None),
        ("baseline", before, mean.baseline if mean else None),
        ("candidate", after, mean.candidate if mean else None),
    ):
        per_host = None if realised is None else realised / hosts
        yield figure(name, "series", predicted, per_host)
    reduction = evaluation.reduction.value if evaluation else None
    share = 1 - after / before if before else None
    yield figure("reduction", "share", share, reduction)
    yield from _retention(prediction.candidate.critical, evaluation)


def _retention(patterns: tuple[PatternKept, ...], evaluation: Evaluation | None) -> Iterator[Compared]:
    found = {one.pattern: one for one in evaluation.critical.patterns} if evaluation else {}
    for one in patterns:
        measured = found.get(one.pattern)
        predicted = one.kept / one.seen if one.seen else None
        yield figure(f"critical {one.pattern}", "share", predicted, measured.candidate_retention if measured else None)


def _differs(prediction: Prediction, experiment: Experiment) -> Iterator[str]:
    spec, conditions = experiment.spec, prediction.conditions
    if spec.interval != conditions.interval_s:
        yield f"interval {spec.interval:g} s, recorded every {conditions.interval_s:g} s"
    if conditions.host not in experiment.hosts:
        yield f"recorded on {conditions.host}, which is not among the experiment's hosts"
    if spec.critical != prediction.critical:
        yield "critical patterns"
    if spec.load is not None:
        yield "a simulated load that runs on the hosts with the experiment"
    if not conditions.complete:
        yield "the recording was cut short"
