"""What telemetry costs: a report over the streams that a question is about, savings so far, payback."""

from __future__ import annotations

from chalicelib.domain.cost.answer import CostAnswer
from chalicelib.domain.cost.ask import CostQuestion
from chalicelib.domain.cost.payback import Payback, payback
from chalicelib.domain.cost.projection import Total
from chalicelib.domain.cost.realised import realised
from chalicelib.domain.cost.report import CostReport, Stream, Terms, cost_report
from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.experiment.state import Experiment
from chalicelib.ports.items import ABSENT
from chalicelib.repositories.records import CostWatch
from chalicelib.services.context import Context
from chalicelib.services.cost.price_books import PriceBooks
from chalicelib.services.cost.stream_hours import CLOSED_AFTER_S, Allowance, hour_of
from chalicelib.services.cost.streams import Streams

UNTOUCHED = "the untouched stream"
AT_ONCE = 300
"""Hours of hosts that one request, or one step of the clock, adds up: a few seconds of work."""
ALL = 10**9
ROLL_EVERY_S = 1800.0
WATCH = "hours"


class Costs:
    """Reads; adds up hours that are closed, so that none has to be added up twice."""

    def __init__(self, context: Context, books: PriceBooks) -> None:
        self._context, self._records, self._books = context, context.records, books
        self._streams = Streams(context)

    def answer(self, tenant: str, question: CostQuestion) -> CostAnswer:
        """The report, savings so far, and payback. Raises InvalidInput, NotFound."""
        now = self._context.clock.now()
        book = self._books.usable(tenant, question.price_book, "/priceBook")
        if question.experiment:
            experiment = self._records.experiments.get(tenant, question.experiment).value
            start, end = _span(experiment, now)
            reference = f"the baseline {experiment.spec.baseline.pipeline}"
            allowance = Allowance(ALL)
            streams = past = list(self._streams.of_experiment(tenant, experiment, start, end, allowance))
            pending = allowance.skipped
        else:
            start, end, reference = now - question.window, now, UNTOUCHED
            streams, past, pending = self._deployed(tenant, question, start, end)
        terms = Terms(book, start, end, reference, question.allotments, question.bytes_per_point, question.fleet)
        report = cost_report(streams, terms)
        return CostAnswer(
            report=report, realised=realised(past, terms), payback=_payback(report, question), pending_hours=pending
        )

    def report(self, tenant: str, question: CostQuestion) -> CostReport:
        """The report alone, over deployments, however long it takes. Raises InvalidInput, NotFound."""
        now = self._context.clock.now()
        book = self._books.usable(tenant, question.price_book, "/priceBook")
        start = now - question.window
        streams = [
            stream
            for one in self._streams.deployments(tenant, question)
            for stream in self._streams.of_deployment(tenant, one, question, start, now, Allowance(ALL))
        ]
        terms = Terms(book, start, now, UNTOUCHED, question.allotments, question.bytes_per_point)
        return cost_report(streams, terms)

    def roll(self, tenant: str, name: str) -> None:
        """Add up hours that are closed and were not yet, a bound of them at a time. What the clock calls."""
        stored = self._records.cost_watches.find(tenant, name)
        now = self._context.clock.now()
        if stored is None or now < stored.value.next_at:
            return
        question, allowance, closed = CostQuestion(), Allowance(AT_ONCE), hour_of(now - CLOSED_AFTER_S)
        for one in self._streams.deployments(tenant, question):
            for _ in self._streams.history(tenant, one, question, closed, allowance):
                continue
        # What had to wait is next; once all is done there is time.
        later = now + (0.0 if allowance.skipped else ROLL_EVERY_S)
        try:
            self._records.cost_watches.save(tenant, CostWatch(next_at=later), stored.version)
        except Conflict:
            return  # another did it

    def _deployed(
        self, tenant: str, question: CostQuestion, start: float, end: float
    ) -> tuple[list[Stream], list[Stream], int]:
        """Streams of the window, of the past, and hours that wait. Each host gets its share of what is added up now."""
        self._watch(tenant)
        found = self._streams.deployments(tenant, question)
        share = max(1, AT_ONCE // max(1, sum(len(one.hosts) for one in found)))
        streams: list[Stream] = []
        pending = 0
        for one in found:
            for host in one.hosts:
                allowance = Allowance(share)
                alone = one.model_copy(update={"hosts": (host,)})
                streams += self._streams.of_deployment(tenant, alone, question, start, end, allowance)
                pending += allowance.skipped
        rest = Allowance(AT_ONCE)
        past = [stream for one in found for stream in self._streams.history(tenant, one, question, end, rest)]
        return streams, past, max(pending, rest.skipped)

    def _watch(self, tenant: str) -> None:
        """From the first question on the clock adds up hours, so that they outlive their measurements."""
        if self._records.cost_watches.find(tenant, WATCH) is None:
            try:
                self._records.cost_watches.save(tenant, CostWatch(), ABSENT)
            except Conflict:
                return


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
