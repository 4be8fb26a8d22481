"""The catalog as a use case: list, show, render, validate; and the one place where configurations are made and checked
by the collector itself before anything is offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.deployment import DeploymentPlan
from chalicelib.domain.errors import InvalidInput, NotFound, Problem, Rejected
from chalicelib.domain.experiment.spec import Arm, OtlpBackend, PipelineRef
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.instrument import instrument
from chalicelib.domain.pipeline.marker import content_hash
from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from chalicelib.ports.catalog import Catalog
from chalicelib.ports.collector import ConfigValidator


class Pipelines:
    """public_url: where hosts reach this control plane."""

    def __init__(self, catalog: Catalog, validator: ConfigValidator, public_url: str) -> None:
        self._catalog, self._validator, self._url = catalog, validator, public_url

    def all(self) -> list[PipelineMetadata]:
        """Every pipeline of the catalog, in order of name."""
        return [self._catalog.get(name).metadata for name in self._catalog.names()]

    def get(self, name: str) -> PipelineMetadata:
        """One pipeline. Raises NotFound naming those with a similar name."""
        return self._catalog.get(name).metadata

    def fragment(self, reference: PipelineRef, pointer: str = "") -> Fragment:
        """The pipeline's processors, filled in. Raises InvalidInput; pointers start at `pointer`."""
        try:
            return render(self._catalog.get(reference.pipeline), reference.parameters)
        except NotFound as error:
            problem = Problem(f"{pointer}/pipeline", error.detail, error.hint)
            raise InvalidInput(error.detail, problems=(problem,), hint=error.hint) from error
        except InvalidInput as error:
            problems = tuple(Problem(pointer + p.pointer, p.rule, p.fix) for p in error.problems)
            first = problems[0] if problems else Problem(pointer, error.detail)
            raise InvalidInput(f"{first.pointer}: {first.rule}", problems=problems, hint=first.fix) from error

    def rendered(
        self, reference: PipelineRef, critical: Sequence[CriticalPattern], interval: float, backend: OtlpBackend | None
    ) -> dict[str, Any]:
        """A configuration that a stock collector runs as it is, checked by the collector."""
        config = standalone(self.fragment(reference), critical, interval, backend)
        self.check(config)
        return config

    def ab_config(
        self, baseline: Arm, candidate: Arm, critical: Sequence[CriticalPattern], interval: float, uid: str, host: str
    ) -> dict[str, Any]:
        """Both arms of an experiment in one collector of one host."""
        arms = (
            AssemblyArm(
                variant=Variant.BASELINE,
                fragment=self.fragment(baseline, "/spec/baseline"),
                backend=baseline.backend,
            ),
            AssemblyArm(
                variant=Variant.CANDIDATE,
                fragment=self.fragment(candidate, "/spec/candidate"),
                backend=candidate.backend,
            ),
        )
        kpi = Kpi(endpoint=self._url, scope=uid, host=host)
        return assemble(AssemblyRequest(interval_s=interval, critical=tuple(critical), arms=arms, kpi=kpi))

    def arm_hashes(self, baseline: Arm, candidate: Arm) -> tuple[str, str]:
        """Content hash of each arm's own processors."""
        first, second = (self.fragment(arm).model_dump(mode="json") for arm in (baseline, candidate))
        return content_hash(first), content_hash(second)

    def plan_config(self, plan: DeploymentPlan, scope: str, host: str) -> dict[str, Any]:
        """A deployment's configuration for one host."""
        kpi = Kpi(endpoint=self._url, scope=scope, host=host)
        if plan.pipeline is None:
            return instrument(plan.config or {}, kpi)
        fragment = self.fragment(plan.pipeline, "/plan/pipeline")
        arm = AssemblyArm(variant=Variant.DEPLOYED, fragment=fragment, backend=plan.backend)
        request = AssemblyRequest(interval_s=plan.interval, critical=plan.critical, arms=(arm,), kpi=kpi)
        return assemble(request)

    def check(self, config: Mapping[str, Any], pointer: str = "") -> None:
        """Raises Rejected with the collector's own words when it refuses the configuration."""
        refusal = self._validator.validate(config)
        if refusal is not None:
            raise Rejected(
                f"the collector refuses this configuration: {refusal}",
                problems=(Problem(pointer, refusal, "change the configuration as the collector says"),),
            )
