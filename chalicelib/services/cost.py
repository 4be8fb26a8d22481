"""What telemetry costs: streams from deployments or an experiment, their measured hours, and a report over them."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.cost.answer import CostAnswer
from chalicelib.domain.cost.ask import CostQuestion
from chalicelib.domain.cost.hours import HOUR_S, StreamHour, roll
from chalicelib.domain.cost.payback import Payback, payback
from chalicelib.domain.cost.projection import Total
from chalicelib.domain.cost.realised import realised
from chalicelib.domain.cost.report import CostReport, Stream, Terms, cost_report
from chalicelib.domain.deployment import Deployment, DeploymentVersion, scope
from chalicelib.domain.errors import InvalidInput, NotFound, Problem
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.measurement import Variant
from chalicelib.repositories.measurements import RETENTION_SECONDS
from chalicelib.services.context import Context
from chalicelib.services.price_books import PriceBooks

CLOSED_AFTER_S = 2 * HOUR_S
"""Seconds after its end for which an hour may still change: collectors deliver late for an hour at most."""
UNTOUCHED = "the untouched stream"
_NOT_COUNTED = "a configuration of your own is not counted at the edge"
REALISED_DAYS = 90


class Costs:
    """Reads; keeps closed hours, so that each is added up once."""

    def __init__(self, context: Context, books: PriceBooks) -> None:
        self._context, self._records, self._books = context, context.records, books

    def answer(self, tenant: str, question: CostQuestion) -> CostAnswer:
        """The report, savings so far, and payback. Raises InvalidInput, NotFound."""
        now = self._context.clock.now()
        book = self._books.usable(tenant, question.price_book, "/priceBook")
        if question.experiment:
            experiment = self._records.experiments.get(tenant, question.experiment).value
            start, end = _span(experiment, now)
            reference = f"the baseline {experiment.spec.baseline.pipeline}"
            streams = list(self._of_experiment(tenant, experiment, start, end))
            past = streams
        else:
            start, end, reference = now - question.window, now, UNTOUCHED
            deployments = self._deployments(tenant, question)
            streams = [s for d in deployments for s in self._of_deployment(tenant, d, question, start, end)]
            past = [s for d in deployments for s in self._history(tenant, d, question, end)]
        terms = Terms(book, start, end, reference, question.allotments, question.bytes_per_point, question.fleet)
        report = cost_report(streams, terms)
        return CostAnswer(
            report=report,
            realised=realised(past, terms),
            payback=_payback(report, question),
        )

    def report(self, tenant: str, question: CostQuestion) -> CostReport:
        """The report alone, over deployments. Raises InvalidInput, NotFound."""
        now = self._context.clock.now()
        book = self._books.usable(tenant, question.price_book, "/priceBook")
        start = now - question.window
        deployments = self._deployments(tenant, question)
        streams = [s for d in deployments for s in self._of_deployment(tenant, d, question, start, now)]
        terms = Terms(book, start, now, UNTOUCHED, question.allotments, question.bytes_per_point)
        return cost_report(streams, terms)

    def _deployments(self, tenant: str, question: CostQuestion) -> list[Deployment]:
        if question.deployment:
            return [self._records.deployments.get(tenant, question.deployment).value]
        found = [stored.value for stored in self._records.deployments.all(tenant)]
        return [one for one in found if not question.pipeline or _pipeline(one) == question.pipeline]

    def _hosts(self, tenant: str, deployment: Deployment, question: CostQuestion) -> Iterator[str]:
        for host in deployment.hosts:
            found = self._records.hosts.find(tenant, host) if question.labels else None
            if not question.labels or (found and question.labels.items() <= found.value.labels.items()):
                yield host

    def _of_deployment(
        self, tenant: str, deployment: Deployment, question: CostQuestion, start: float, end: float
    ) -> Iterator[Stream]:
        version = deployment.version(deployment.current)
        if version is None:
            return
        for host in self._hosts(tenant, deployment, question):
            yield self._stream(tenant, deployment, version, host, max(start, version.created_at), end)

    def _history(self, tenant: str, deployment: Deployment, question: CostQuestion, end: float) -> Iterator[Stream]:
        """Every version over its own time, ninety days back at most."""
        earliest = end - REALISED_DAYS * 86400
        ends = [version.created_at + HOUR_S for version in deployment.versions[1:]]
        for version, until in zip(deployment.versions, [*ends, end], strict=True):
            start = max(earliest, version.created_at)
            if version.plan.pipeline is None or start >= min(until, end):
                continue
            for host in self._hosts(tenant, deployment, question):
                yield self._stream(tenant, deployment, version, host, start, min(until, end))

    def _stream(
        self, tenant: str, deployment: Deployment, version: DeploymentVersion, host: str, start: float, end: float
    ) -> Stream:
        base = Stream(host, version.plan.label(), deployment.name, version.plan.interval)
        if version.plan.pipeline is None:
            return Stream(host, base.pipeline, base.holder, base.interval_s, reason=_NOT_COUNTED)
        of = scope(deployment.name, version.number)
        hours = self._hours(tenant, of, host, start, end, base.interval_s, (Variant.DEPLOYED, Variant.RAW))
        return Stream(host, base.pipeline, base.holder, base.interval_s, hours, since=version.created_at)

    def _of_experiment(self, tenant: str, experiment: Experiment, start: float, end: float) -> Iterator[Stream]:
        label = " ".join(
            [
                experiment.spec.candidate.pipeline,
                *(f"{k}={v}" for k, v in sorted(experiment.spec.candidate.parameters.items())),
            ]
        )
        interval = experiment.spec.interval
        for host in experiment.hosts:
            of = (Variant.CANDIDATE, Variant.BASELINE)
            hours = self._hours(tenant, experiment.uid, host, start, end, interval, of)
            yield Stream(host, label, experiment.name, interval, hours)

    def _hours(
        self,
        tenant: str,
        of: str,
        host: str,
        start: float,
        end: float,
        interval_s: float,
        variants: tuple[Variant, Variant],
    ) -> tuple[StreamHour, ...]:
        """Every hour of the span, from what is kept or from measurements; the first and last may be parts."""
        now = self._context.clock.now()
        first = int(start) // HOUR_S * HOUR_S
        kept = self._records.usage.read(tenant, of, host, first, int(end) + 1)
        found: list[StreamHour] = []
        for hour in range(first, int(end) + 1, HOUR_S):
            whole = start <= hour and hour + HOUR_S <= end
            if whole and hour in kept:
                found.append(kept[hour])
                continue
            if hour + HOUR_S < now - RETENTION_SECONDS:
                continue  # the measurements are gone: not measured any more, which is not zero
            low, high = max(start, hour), min(end, hour + HOUR_S)
            counts, samples = self._records.measurements.read(tenant, of, host, int(low * 1e9), int(high * 1e9))
            made = roll(of, host, hour, counts, samples, kept=variants[0], reference=variants[1], interval_s=interval_s)
            if whole and hour + HOUR_S + CLOSED_AFTER_S <= now:
                self._records.usage.keep(tenant, made)
            found.append(made)
        return tuple(found)


def _pipeline(deployment: Deployment) -> str:
    """Name of the pipeline that it runs now, "" for a configuration of one's own."""
    version = deployment.version(deployment.current)
    return version.plan.pipeline.pipeline if version and version.plan.pipeline else ""


def _span(experiment: Experiment, now: float) -> tuple[float, float]:
    if experiment.window_start is None:
        rule = f"experiment {experiment.name!r} has measured nothing yet: it is {experiment.state.value}"
        raise NotFound(rule, hint=f"follow it: phoenix experiment status {experiment.name} --watch")
    return experiment.window_start, min(now, experiment.ended_at or now)


def _payback(report: CostReport, question: CostQuestion) -> Payback | None:
    """Over the fleet when one was asked for, over the measured hosts otherwise."""
    if question.investment is None:
        return None
    saved = report.projection.saved_per_month if report.projection else None
    if saved is None and report.saved_per_month is not None and report.projection is None:
        saved = Total(estimate=report.saved_per_month, reason="of the measured hosts alone")
    if saved is None:
        reason = report.reason or "savings were not measured"
        problem = Problem("/once", f"no return without savings: {reason}", "look again when hosts have measured")
        raise InvalidInput(problem.rule, problems=(problem,), hint=problem.fix)
    return payback(saved, question.investment)
