"""Predicted against realised: the figures of a prediction beside those of an experiment. Nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.evaluation.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.model import Value
from chalicelib.domain.prediction.figures import PatternKept
from chalicelib.domain.prediction.prediction import Prediction


class Compared(Value):
    """One figure. unit: "series" (per scrape and host) or "share". None: not predicted, or not measured yet."""

    figure: str
    unit: str
    predicted: float | None
    realised: float | None

    @property
    def difference(self) -> float | None:
        """Realised against predicted: relative for series, in points of one for shares; None where one is missing."""
        if self.predicted is None or self.realised is None:
            return None
        if self.unit == "share":
            return self.realised - self.predicted
        return self.realised / self.predicted - 1 if self.predicted else None


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
    for figure, predicted, realised in (
        ("raw", prediction.raw_series, mean.raw if mean else None),
        ("baseline", before, mean.baseline if mean else None),
        ("candidate", after, mean.candidate if mean else None),
    ):
        per_host = None if realised is None else realised / hosts
        yield Compared(figure=figure, unit="series", predicted=predicted, realised=per_host)
    reduction = evaluation.reduction.value if evaluation else None
    share = 1 - after / before if before else None
    yield Compared(figure="reduction", unit="share", predicted=share, realised=reduction)
    yield from _retention(prediction.candidate.critical, evaluation)


def _retention(predicted: tuple[PatternKept, ...], evaluation: Evaluation | None) -> Iterator[Compared]:
    found = {one.pattern: one for one in evaluation.critical.patterns} if evaluation else {}
    for one in predicted:
        measured = found.get(one.pattern)
        yield Compared(
            figure=f"critical {one.pattern}",
            unit="share",
            predicted=one.kept / one.seen if one.seen else None,
            realised=measured.candidate_retention if measured else None,
        )


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
