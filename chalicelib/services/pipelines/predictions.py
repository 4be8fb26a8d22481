"""Predictions: keep what previews say of pairs of pipelines, and find the one to hold an experiment against."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.errors import NotFound, TooLarge
from chalicelib.domain.experiment.spec import Arm
from chalicelib.domain.prediction.figures import PipelineFigures
from chalicelib.domain.prediction.prediction import (
    MAX_PAIRS,
    Prediction,
    PredictionDraft,
    Predictions,
)
from chalicelib.domain.prediction.realised import Comparison, compared
from chalicelib.ports.items import ABSENT
from chalicelib.services.context import Context, retrying
from chalicelib.services.pipelines.pipelines import Pipelines

MAX_BYTES = 32_000
"""Of one prediction as JSON, so that those of a pair share an item."""


class PredictionBook:
    """One record per pair of pipelines, known by the content of both, with its newest predictions."""

    def __init__(self, context: Context, pipelines: Pipelines) -> None:
        self._context, self._records, self._pipelines = context, context.records, pipelines

    def add(self, tenant: str, draft: PredictionDraft, actor: str) -> Prediction:
        """Keep a prediction. Raises InvalidInput for pipelines, versions or parameters that this control plane does not
        have: what they were measured as could never run here. Raises TooLarge over a limit."""
        size = len(draft.model_dump_json().encode())
        if size > MAX_BYTES:
            raise TooLarge(f"the prediction has {size} bytes; at most {MAX_BYTES} are kept")
        pair = self._pair(tenant, draft)
        made = Prediction(
            **{name: getattr(draft, name) for name in PredictionDraft.model_fields},
            uid=self._context.entropy.uid(),
            created_at=self._context.clock.now(),
            created_by=actor,
        )

        def attempt() -> Prediction:
            stored = self._records.predictions.find(tenant, pair)
            if stored is None:
                self._room(tenant)
            before = stored.value if stored else Predictions(pair=pair)
            self._records.predictions.save(tenant, before.add(made), stored.version if stored else ABSENT)
            return made

        return retrying(attempt)

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Prediction], str | None]:
        """The newest prediction of each pair."""
        found, cursor = self._records.predictions.page(tenant, limit, cursor)
        return [stored.value.kept[-1] for stored in found if stored.value.kept], cursor

    def of_experiment(self, tenant: str, name: str) -> Comparison:
        """The latest prediction of the experiment's pair from before it touched a host, beside what was measured.
        Raises NotFound when there is no such experiment, or no prediction."""
        experiment = self._records.experiments.get(tenant, name).value
        stored = self._records.predictions.find(tenant, _key(experiment.arm_hashes))
        start = experiment.deployed_at or self._context.clock.now() + 1
        found = stored.value.before(start) if stored else None
        if found is None:
            spec = experiment.spec
            raise NotFound(
                f"no prediction was made for experiment {name!r} before it started",
                hint=f"next time: phoenix pipeline preview {spec.candidate.pipeline} --against {spec.baseline.pipeline}"
                " --recording FILE",
            )
        evaluated = self._records.evaluations.find(tenant, experiment.uid)
        return compared(found, experiment, evaluated.value.evaluation if evaluated else None)

    def _pair(self, tenant: str, draft: PredictionDraft) -> str:
        arms = (_arm(draft.baseline), _arm(draft.candidate))
        for arm, pointer in zip(arms, ("/baseline", "/candidate"), strict=True):
            self._pipelines.fragment(tenant, arm, pointer)
        return _key(self._pipelines.arm_hashes(tenant, *arms))

    def _room(self, tenant: str) -> None:
        found, _ = self._records.predictions.page(tenant, MAX_PAIRS)
        if len(found) >= MAX_PAIRS:
            raise TooLarge(
                f"predictions of {MAX_PAIRS} pairs of pipelines are kept, which is the limit",
                hint="they are forgotten 90 days after the last one of a pair",
            )


def _arm(figures: PipelineFigures) -> Arm:
    given: dict[str, Any] = dict(figures.parameters)
    return Arm(pipeline=figures.pipeline, parameters=given, version=figures.version)


def _key(hashes: tuple[str, str]) -> str:
    return "-".join(hashes)
