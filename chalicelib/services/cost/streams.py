"""Streams to be priced: which deployments and experiments sent what, where, and when. No price here."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.cost.ask import CostQuestion
from chalicelib.domain.cost.hours import HOUR_S
from chalicelib.domain.cost.report import Stream
from chalicelib.domain.deployment import Deployment, DeploymentVersion, scope
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.measurement import Variant
from chalicelib.services.context import Context
from chalicelib.services.cost.stream_hours import Allowance, Span, StreamHours, hour_of

REALISED_DAYS = 90
_NOT_COUNTED = "a configuration of your own is not counted at the edge"
_WAITS = "its measurements are not added up yet: ask again in a minute"


class Streams:
    """allowance: for each stream, how many hours may be added up now."""

    def __init__(self, context: Context) -> None:
        self._records, self._hours = context.records, StreamHours(context)

    def deployments(self, tenant: str, question: CostQuestion) -> list[Deployment]:
        """Those that a question is about. Raises NotFound."""
        if question.deployment:
            return [self._records.deployments.get(tenant, question.deployment).value]
        found = [stored.value for stored in self._records.deployments.all(tenant)]
        return [one for one in found if not question.pipeline or _pipeline(one) == question.pipeline]

    def of_deployment(
        self,
        tenant: str,
        deployment: Deployment,
        question: CostQuestion,
        start: float,
        end: float,
        allowance: Allowance,
    ) -> Iterator[Stream]:
        """Its current version on the hosts that are asked for."""
        version = deployment.version(deployment.current)
        if version is None:
            return
        for host in self._hosts(tenant, deployment, question):
            # Nothing of this version was measured before it was made: its first hour is a whole one.
            since = max(start, hour_of(version.created_at))
            yield self._stream(tenant, deployment, version, host, since, end, allowance)

    def history(
        self, tenant: str, deployment: Deployment, question: CostQuestion, end: float, allowance: Allowance
    ) -> Iterator[Stream]:
        """Every version over its own time, ninety days back at most, newest version first."""
        earliest = end - REALISED_DAYS * 86400
        ends = [*(hour_of(version.created_at) + 2 * HOUR_S for version in deployment.versions[1:]), end]
        for version, until in reversed(list(zip(deployment.versions, ends, strict=True))):
            start = max(hour_of(earliest), hour_of(version.created_at))
            if version.plan.pipeline is None or start >= min(until, end):
                continue
            for host in self._hosts(tenant, deployment, question):
                yield self._stream(tenant, deployment, version, host, start, min(until, end), allowance)

    def of_experiment(
        self, tenant: str, experiment: Experiment, start: float, end: float, allowance: Allowance
    ) -> Iterator[Stream]:
        """The candidate beside the baseline."""
        candidate = experiment.spec.candidate
        label = " ".join([candidate.pipeline, *(f"{k}={v}" for k, v in sorted(candidate.parameters.items()))])
        interval = experiment.spec.interval
        # In a canary only some hosts run the candidate.
        hosts = experiment.assignment.of(Variant.CANDIDATE) if experiment.assignment else experiment.hosts
        for host in hosts:
            span = Span(
                experiment.uid, host, start, end, interval, stream=Variant.CANDIDATE, reference=Variant.BASELINE
            )
            hours = self._hours.read(tenant, span, allowance)
            yield Stream(host, label, experiment.name, interval, hours, reason="" if hours else _WAITS)

    def _hosts(self, tenant: str, deployment: Deployment, question: CostQuestion) -> Iterator[str]:
        for host in deployment.hosts:
            found = self._records.hosts.find(tenant, host) if question.labels else None
            if not question.labels or (found and question.labels.items() <= found.value.labels.items()):
                yield host

    def _stream(
        self,
        tenant: str,
        deployment: Deployment,
        version: DeploymentVersion,
        host: str,
        start: float,
        end: float,
        allowance: Allowance,
    ) -> Stream:
        label, interval = version.plan.label(), version.plan.interval
        if version.plan.pipeline is None:
            return Stream(host, label, deployment.name, interval, reason=_NOT_COUNTED)
        of = scope(deployment.name, version.number)
        span = Span(of, host, start, end, interval, stream=Variant.DEPLOYED, reference=Variant.RAW)
        waiting = allowance.skipped
        hours = self._hours.read(tenant, span, allowance)
        reason = _WAITS if not hours and allowance.skipped > waiting else ""
        return Stream(host, label, deployment.name, interval, hours, reason=reason, since=version.created_at)


def _pipeline(deployment: Deployment) -> str:
    """Name of the pipeline that it runs now, "" for a configuration of one's own."""
    version = deployment.version(deployment.current)
    return version.plan.pipeline.pipeline if version and version.plan.pipeline else ""
