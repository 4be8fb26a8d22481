"""Where an experiment's figures come from: the edge's counts as they are, or with the arms as a Prometheus has them;
and how well the two agree. What a Prometheus cannot say is not measured, and nothing is put in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.errors import InvalidInput, Problem, Unavailable
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.experiment.source import Prometheus, Source
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, Variant
from chalicelib.domain.sources.agreement import Agreement, agreement
from chalicelib.domain.sources.joining import replaced
from chalicelib.ports.kpis import Asked, KpiSources
from chalicelib.repositories.stored_arms import StoredArms
from chalicelib.services.context import Context

log = logging.getLogger("phoenix.sources")

_SECOND = 1_000_000_000
LONGEST_S = 24 * 3600.0
"""Seconds that one comparison covers at most."""
MOST_SCRAPES = 50_000
"""Scrapes of all hosts together that one comparison covers: a few seconds of work."""


@dataclass(frozen=True)
class Seen:
    """What an evaluation may use. now_ns: the moment that it speaks of (Unix, control plane). problem: why the source
    could not be read, "" when it could: then nothing new is known of the arms."""

    counts: Sequence[Count]
    samples: Sequence[CollectorSample]
    now_ns: int
    problem: str = ""


See = Callable[[str, EvaluationPlan, Sequence[Count], Sequence[CollectorSample], float], Seen]
"""(tenant, plan, counts, samples, now) to what an evaluation may use."""


def as_counted(
    tenant: str, plan: EvaluationPlan, counts: Sequence[Count], samples: Sequence[CollectorSample], now: float
) -> Seen:
    """The edge's own counts, all of them."""
    return Seen(counts, samples, int(now * _SECOND))


class Sources:
    """outside: the servers that specifications name."""

    def __init__(self, context: Context, outside: KpiSources) -> None:
        self._context, self._outside = context, outside
        self._stored = StoredArms(context.records.measurements)

    def check(self, tenant: str, source: Source, hosts: Collection[str]) -> None:
        """Whether the source of a new experiment on these hosts can be read, and tells them apart. Raises InvalidInput,
        Unavailable."""
        if source.prometheus is None:
            return
        _tell_apart(self._named(tenant, hosts), hosts)
        try:
            self._outside.of(tenant, source.prometheus).arms(Asked(tenant, "", 1.0, {}))
        except Unavailable as error:
            problem = Problem("/spec/source/prometheus", error.detail, error.hint)
            raise Unavailable(error.detail, problems=(problem,), hint=error.hint) from error

    def seen(
        self, tenant: str, plan: EvaluationPlan, counts: Sequence[Count], samples: Sequence[CollectorSample], now: float
    ) -> Seen:
        """What the edge sent, with the arms from where the plan says. Never raises for what a source does."""
        prometheus = plan.source.decides
        if prometheus is None:
            return as_counted(tenant, plan, counts, samples, now)
        now_ns = int(now * _SECOND)
        delay_ns = round(prometheus.delay * _SECOND)
        ends = _ends(counts, samples, now_ns, delay_ns)
        counts = [count for count in counts if count.end_ns <= ends[count.host]]
        samples = [sample for sample in samples if sample.time_ns <= ends[sample.host]]
        edge = [count for count in counts if count.host in plan.hosts]
        asked = self._asked(tenant, plan.scope, plan.limits.interval_s, edge)
        try:
            parts = self._outside.of(tenant, prometheus).arms(asked) if asked.spans else []
        except (Unavailable, InvalidInput) as error:
            log.warning("the source of experiment %s cannot be read: %s", plan.name, error.detail)
            return Seen((), samples, now_ns - delay_ns, error.detail[:500])
        return Seen(replaced(counts, parts, plan.limits.interval_s), samples, now_ns - delay_ns)

    def agreement(self, tenant: str, experiment: Experiment, window_s: float) -> Agreement:
        """The edge's counts of the arms against the source's, over the last `window_s` seconds of the experiment.

        Raises InvalidInput when it names no Prometheus, Unavailable when that cannot be read.
        """
        prometheus = experiment.spec.source.prometheus
        if prometheus is None:
            fix = "give spec.source.prometheus, with use: check where the edge's counts are to decide"
            raise InvalidInput(f"experiment {experiment.name!r} names no source to compare with", hint=fix)
        start, end = _window(experiment, self._context.clock.now(), prometheus, window_s)
        hosts, interval = len(experiment.hosts), experiment.spec.interval
        if (end - start) / interval * hosts > MOST_SCRAPES:
            fix = f"ask for {int(MOST_SCRAPES * interval / hosts)} s at most"
            raise InvalidInput(
                f"more than {MOST_SCRAPES} scrapes at once", problems=(Problem("/window", fix),), hint=fix
            )
        bounds = int(start * _SECOND), int(end * _SECOND)
        edge: list[Count] = []
        for host in experiment.hosts:
            edge += self._stored.counts(tenant, experiment.uid, host, *bounds)
        asked = self._asked(tenant, experiment.uid, experiment.spec.interval, edge)
        there = self._outside.of(tenant, prometheus).arms(asked) if asked.spans else []
        named = {"experiment": experiment.name, "source": experiment.spec.source.words}
        return agreement(named, start, end, edge, there, experiment.spec.interval)

    def _asked(self, tenant: str, scope: str, interval_s: float, edge: Iterable[Count]) -> Asked:
        """From each host's oldest to its newest data point, and its critical processes by any count of it."""
        spans: dict[str, tuple[int, int]] = {}
        critical: dict[str, set[CriticalProcess]] = {}
        for count in edge:
            if count.variant is Variant.DEPLOYED:
                continue
            start, end = spans.get(count.host, (count.start_ns, count.end_ns))
            spans[count.host] = min(start, count.start_ns), max(end, count.end_ns)
            critical.setdefault(count.host, set()).update(count.critical)
        found = {host: frozenset(some) for host, some in critical.items()}
        return Asked(tenant, scope, interval_s, spans, found, self._named(tenant, spans))

    def _named(self, tenant: str, hosts: Collection[str]) -> dict[str, str]:
        """What a host's data calls it, where that is not its name: its collector knows a node by its name alone."""
        found = self._context.records.hosts.several(tenant, hosts) if hosts else {}
        return {host: stored.value.node for host, stored in found.items() if stored.value.node}


def _window(experiment: Experiment, now: float, prometheus: Prometheus, window_s: float) -> tuple[float, float]:
    ended = experiment.ended_at if experiment.ended_at is not None else now
    end = min(ended, now - prometheus.delay)
    start = max(experiment.deployed_at or experiment.created_at, end - window_s)
    return start, max(start, end)


def _ends(counts: Sequence[Count], samples: Sequence[CollectorSample], now_ns: int, delay_ns: int) -> Mapping[str, int]:
    """By host, the newest moment that is judged, by the host's clock: one that runs ahead is as old as any other."""
    newest: dict[str, int] = {}
    for host, at in [*((c.host, c.end_ns) for c in counts), *((s.host, s.time_ns) for s in samples)]:
        newest[host] = max(newest.get(host, at), at)
    return {host: now_ns + max(0, at - now_ns) - delay_ns for host, at in newest.items()}


def _tell_apart(named: Mapping[str, str], hosts: Collection[str]) -> None:
    """Raises InvalidInput for hosts whose data has the same host.name."""
    first: dict[str, str] = {}
    for host in sorted(hosts):
        name = named.get(host, host)
        if name in first:
            rule = f"in Prometheus, hosts {first[name]!r} and {host!r} are both called {name!r}"
            fix = "ask for an experiment for each cluster, or leave spec.source out: the edge tells them apart"
            raise InvalidInput(f"/spec/targets: {rule}", problems=(Problem("/spec/targets", rule, fix),), hint=fix)
        first[name] = host
