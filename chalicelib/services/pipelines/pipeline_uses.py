"""Who refers to a pipeline: experiments by their arms, deployments by their versions. Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.experiment.spec import PipelineRef
from chalicelib.domain.experiment.state import END_STATES
from chalicelib.repositories.records import Records


class PipelineUses:
    """A tenant's own pipeline is always referred to with its version; a name alone is one of the catalog."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def now(self, tenant: str, name: str) -> list[str]:
        """Experiments that have not ended and deployments that run the tenant's own pipeline of this name."""
        found = (who for who, used, now in self._all(tenant) if now and used.is_own and used.pipeline == name)
        return list(dict.fromkeys(found))

    def by_name_alone(self, tenant: str, name: str) -> str:
        """One that refers to a pipeline of the catalog by this name, "" when none does. The catalog may have been taken
        away since; the name must never come to mean another pipeline."""
        return next((who for who, used, _ in self._all(tenant) if not used.is_own and used.pipeline == name), "")

    def _all(self, tenant: str) -> Iterator[tuple[str, PipelineRef, bool]]:
        """Who, what, and whether it is in use now."""
        for experiment in self._records.experiments.all(tenant):
            spec, living = experiment.value.spec, experiment.value.state not in END_STATES
            for arm in (spec.baseline, spec.candidate):
                yield f"experiment {experiment.value.name!r}", arm, living
        for deployment in self._records.deployments.all(tenant):
            for version in deployment.value.versions:
                if version.plan.pipeline:
                    current = version.number == deployment.value.current
                    yield f"deployment {deployment.value.name!r}", version.plan.pipeline, current
