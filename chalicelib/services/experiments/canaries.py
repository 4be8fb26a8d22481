"""Canaries as a use case: which host gets which arm, what each is to run, and what the pre-period has measured.

How the experiment goes on is decided in `domain/experiment`; how it is created and stepped is in `experiments` and
`stepping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.canary.assignment import Assignment, HostSize, assign
from chalicelib.domain.canary.before import PrePeriod
from chalicelib.domain.canary.measuring import before_of
from chalicelib.domain.canary.spec import fewest, too_few
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.evaluation.evaluation import gather
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.scrapes.scrapes import host_scrapes
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.host import HostFacts
from chalicelib.domain.measurement import CollectorSample, Count, Variant
from chalicelib.repositories.records import Records
from chalicelib.services.pipelines.pipelines import Pipelines


@dataclass(frozen=True)
class Rendered:
    """Unstamped configurations by host: before the arms are told apart, and afterwards. assignment: None when the
    layout is not a canary, and both are empty."""

    assignment: Assignment | None = None
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)


class Canaries:
    """Reads only."""

    def __init__(self, records: Records, pipelines: Pipelines) -> None:
        self._records, self._pipelines = records, pipelines

    def rendered(self, tenant: str, spec: ExperimentSpec, uid: str, hosts: Sequence[str]) -> Rendered:
        """What the hosts of a new canary are to run, each arm checked by the collector itself. Raises InvalidInput
        (too few hosts, a wrong pipeline), Rejected."""
        canary = spec.canary
        if canary is None:
            return Rendered()
        if why := too_few(len(hosts), canary.share):
            fix = f"at least {fewest(canary.share)} hosts, a share nearer to 50%, or layout: paired"
            raise InvalidInput(f"/spec/targets: {why}", problems=(Problem("/spec/targets", why, fix),), hint=fix)
        assignment = assign(self._sizes(tenant, hosts), canary.share, canary.seed)
        arms = {host: self._config(tenant, spec, arm, uid, host) for host, arm in assignment.arms.items()}
        for arm in (Variant.BASELINE, Variant.CANDIDATE):
            self._pipelines.check(arms[assignment.of(arm)[0]], f"/spec/{arm.value}")
        before = {host: self._config(tenant, spec, Variant.BASELINE, uid, host) for host in hosts}
        return Rendered(assignment, before, arms)

    def _sizes(self, tenant: str, hosts: Sequence[str]) -> list[HostSize]:
        known = self._records.hosts.several(tenant, hosts)
        facts = {host: known[host].value.facts if host in known else HostFacts() for host in hosts}
        return [HostSize(host=host, cpu_count=of.cpu_count, memory_bytes=of.memory_bytes) for host, of in facts.items()]

    def _config(self, tenant: str, spec: ExperimentSpec, arm: Variant, uid: str, host: str) -> dict[str, Any]:
        chosen = spec.candidate if arm is Variant.CANDIDATE else spec.baseline
        return self._pipelines.arm_config(tenant, chosen, arm, spec.critical, spec.interval, uid, host)


def before(records: Records, tenant: str, experiment: Experiment, plan: EvaluationPlan, now: float) -> PrePeriod | None:
    """What the pre-period of a canary has measured, once it is over; None before, and in every other phase.

    plan: of the experiment, with the markers that hosts carry now.
    """
    canary, since = experiment.spec.canary, experiment.before_since
    if not due_before(experiment, now) or canary is None or since is None:
        return None
    start_ns, now_ns = int(since * 1e9), int(now * 1e9)
    hosts = experiment.hosts
    plan = plan.model_copy(update={"window_start_ns": start_ns, "arms": dict.fromkeys(hosts, Variant.BASELINE)})
    counts: list[Count] = []
    samples: list[CollectorSample] = []
    for host in hosts:
        found = records.measurements.read(tenant, plan.scope, host)
        counts += found[0]
        samples += found[1]
    gathered = gather(plan, counts, samples, {})
    scrapes = [host_scrapes(plan, host, gathered, now_ns, last=True)[0] for host in hosts]
    intervals = max(1, round(canary.pre_period / experiment.spec.interval))
    return before_of(scrapes, {host: plan.markers(host) for host in hosts}, intervals, start_ns, now_ns)


def due_before(experiment: Experiment, now: float) -> bool:
    """Whether the pre-period of a canary has lasted as long as it is to."""
    canary, since = experiment.spec.canary, experiment.before_since
    if experiment.state is not State.WARMING_UP or not experiment.before_phase or canary is None or since is None:
        return False
    return now - since >= canary.pre_period
