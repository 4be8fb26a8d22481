"""Pipelines as a use case, whoever made them: show, fill in, render; and the one place where configurations are made
and checked by the collector itself before anything is offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.deployment import DeploymentPlan
from chalicelib.domain.errors import InvalidInput, NotFound, PhoenixError, Problem, Rejected
from chalicelib.domain.experiment.spec import Arm, Backend, ExperimentSpec, PipelineRef
from chalicelib.domain.fleet.agents import second_of
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.instrument import instrument
from chalicelib.domain.pipeline.marker import content_hash
from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from chalicelib.ports.collector import ConfigValidator
from chalicelib.services.pipelines.library import Library

R = TypeVar("R", bound=PipelineRef)


class Pipelines:
    """public_url: where hosts reach this control plane."""

    def __init__(self, library: Library, validator: ConfigValidator, public_url: str) -> None:
        self._library, self._validator, self._url = library, validator, public_url

    def get(self, tenant: str, name: str, version: str | None = None) -> PipelineMetadata:
        """One pipeline. Raises NotFound naming those with a similar name, InvalidInput for a wrong version."""
        return self._library.get(tenant, name, version).metadata

    def fragment(self, tenant: str, reference: PipelineRef, pointer: str = "") -> Fragment:
        """The pipeline's processors, filled in. Raises InvalidInput; pointers start at `pointer`."""
        try:
            template = self._library.get(tenant, reference.pipeline, reference.version)
            return render(template, reference.parameters)
        except (NotFound, InvalidInput) as error:
            raise _pointed(error, pointer) from error

    def pinned(self, tenant: str, reference: R, pointer: str = "") -> R:
        """The reference as something new must keep it: with the version of the tenant's own pipeline, so that no later
        update changes it. Raises InvalidInput, also for a pipeline that was deleted."""
        try:
            version = self._library.pin(tenant, reference.pipeline, reference.version)
        except (NotFound, InvalidInput) as error:
            raise _pointed(error, pointer) from error
        return reference.model_copy(update={"version": version})

    def rendered(
        self,
        tenant: str,
        reference: PipelineRef,
        critical: Sequence[CriticalPattern],
        interval: float,
        backend: Backend | None,
    ) -> dict[str, Any]:
        """A configuration that a stock collector runs as it is, checked by the collector."""
        config = standalone(self.fragment(tenant, reference), critical, interval, backend)
        self.check(config)
        return config

    def ab_configs(self, tenant: str, spec: ExperimentSpec, uid: str, host: str) -> dict[str, dict[str, Any]]:
        """The configurations of an experiment on one host, by agent: both arms in one collector, or in dedicated mode
        the baseline in the host's own and the candidate in a second one, which the first asks for."""
        baseline, candidate = (
            AssemblyArm(
                variant=variant,
                fragment=self.fragment(tenant, arm, f"/spec/{variant.value}"),
                backend=arm.backend,
            )
            for variant, arm in ((Variant.BASELINE, spec.baseline), (Variant.CANDIDATE, spec.candidate))
        )
        whole = AssemblyRequest(
            interval_s=spec.interval,
            critical=spec.critical,
            arms=(baseline, candidate),
            kpi=Kpi(endpoint=self._url, scope=uid, host=host),
        )
        if spec.mode == "shared":
            return {host: assemble(whole)}
        first = whole.model_copy(update={"arms": (baseline,), "collectors": 2})
        second = whole.model_copy(update={"arms": (candidate,), "raw": Variant.CANDIDATE_RAW})
        return {host: assemble(first), second_of(host): assemble(second)}

    def arm_config(
        self,
        tenant: str,
        arm: Arm,
        variant: Variant,
        critical: Sequence[CriticalPattern],
        interval: float,
        uid: str,
        host: str,
    ) -> dict[str, Any]:
        """One arm of an experiment alone, in the collector of one host."""
        fragment = self.fragment(tenant, arm, f"/spec/{variant.value}")
        built = AssemblyArm(variant=variant, fragment=fragment, backend=arm.backend)
        kpi = Kpi(endpoint=self._url, scope=uid, host=host)
        return assemble(AssemblyRequest(interval_s=interval, critical=tuple(critical), arms=(built,), kpi=kpi))

    def arm_hashes(self, tenant: str, baseline: Arm, candidate: Arm) -> tuple[str, str]:
        """Content hash of each arm's own processors."""
        first, second = (self.fragment(tenant, arm).model_dump(mode="json") for arm in (baseline, candidate))
        return content_hash(first), content_hash(second)

    def plan_config(self, tenant: str, plan: DeploymentPlan, scope: str, host: str) -> dict[str, Any]:
        """A deployment's configuration for one host."""
        kpi = Kpi(endpoint=self._url, scope=scope, host=host)
        if plan.pipeline is None:
            return instrument(plan.config or {}, kpi)
        fragment = self.fragment(tenant, plan.pipeline, "/plan/pipeline")
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


def _pointed(error: PhoenixError, pointer: str) -> InvalidInput:
    """The error about a reference at this place of a request."""
    found = error.problems or (Problem("/pipeline", error.detail, error.hint),)
    problems = tuple(Problem(pointer + p.pointer, p.rule, p.fix) for p in found)
    detail = error.detail if isinstance(error, NotFound) else f"{problems[0].pointer}: {problems[0].rule}"
    return InvalidInput(detail, problems=problems, hint=problems[0].fix)
