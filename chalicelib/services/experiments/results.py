"""Results of a tenant's experiments as metrics: which experiments one answer holds. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.results.experiments import Told, families
from chalicelib.ports.exposition import Exposition
from chalicelib.services.context import Context

MOST = 500
"""Experiments in one answer, the active ones first, then those that ended last."""
EVALUATED = 100
"""Of those, so many with what only their evaluation says: each is read and may be a few hundred kilobytes."""


class Results:
    """exposition: how metrics are written down."""

    def __init__(self, context: Context, exposition: Exposition) -> None:
        self._records, self._exposition = context.records, exposition

    def metrics(self, tenant: str, accept: str) -> tuple[str, str]:
        """Text and content type. accept: what the caller reads, as in the header."""
        found = self._order([stored.value for stored in self._records.experiments.all(tenant)])
        told = [Told(one, self._evaluation(tenant, one, place)) for place, one in enumerate(found[:MOST])]
        return self._exposition.write(families(told, max(0, len(found) - MOST)), accept)

    def _order(self, experiments: Sequence[Experiment]) -> list[Experiment]:
        return sorted(experiments, key=lambda one: (one.ended_at is not None, -(one.ended_at or one.created_at)))

    def _evaluation(self, tenant: str, experiment: Experiment, place: int) -> Evaluation | None:
        if place >= EVALUATED or experiment.evaluated_at is None:
            return None
        stored = self._records.evaluations.find(tenant, experiment.uid)
        return stored.value.evaluation if stored else None
