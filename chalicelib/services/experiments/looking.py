"""One look at an experiment's measurements: what was sealed before, what came since, the evaluation, its keeping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.domain.evaluation.evaluation import evaluate_gathered, gather, seal_gathered
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.evaluation.scrapes.history import HostHistory
from chalicelib.ports.items import ANY_VERSION, Put
from chalicelib.repositories.histories import Histories, Known
from chalicelib.repositories.measurements import Unsealed
from chalicelib.repositories.records import Records, StoredEvaluation
from chalicelib.services.experiments.sources import See, as_counted


@dataclass(frozen=True)
class Look:
    """writes: keep the evaluation, and what is known for good since; for the transaction of what follows from it."""

    evaluation: Evaluation
    writes: tuple[Put, ...] = ()


class Looking:
    """Reads a history and what lies after it, never the whole experiment again. Whoever dies in between has changed
    nothing; of two looks at once, one keeps what it sealed, and both say the same."""

    def __init__(self, records: Records, see: See = as_counted) -> None:
        """see: what of the edge's measurements is used, and what stands in its place."""
        self._records, self._histories, self._see = records, Histories(records.store), see

    def look(
        self,
        tenant: str,
        plan: EvaluationPlan,
        now: float,
        *,
        last: bool,
        problems: Mapping[str, str],
        shown: Callable[[Evaluation], bool],
    ) -> Look:
        """A look at `now` (Unix seconds). shown: whether its evaluation becomes the one that people see."""
        known = self._histories.load(tenant, plan.scope)
        lines = {host: known.histories.get(host, HostHistory()).sealed_ns for host in plan.hosts}
        found = self._records.measurements.unsealed(tenant, plan.scope, lines, known.late)
        seen = self._see(tenant, plan, found.counts, found.samples, now)
        plan, now_ns = plan.model_copy(update={"source_problem": seen.problem}), seen.now_ns
        gathered = gather(plan, seen.counts, seen.samples, known.histories)
        evaluation = evaluate_gathered(plan, gathered, now_ns, last=last, host_problems=problems)
        writes: list[Put] = []
        if shown(evaluation):
            stored = StoredEvaluation(uid=plan.scope, at=now, evaluation=evaluation)
            writes += self._records.evaluations.writes(tenant, stored, ANY_VERSION)
        more = {} if seen.problem else seal_gathered(plan, gathered, now_ns)
        if not last and any(one.clusters or one.samples for one in more.values()):
            writes.append(self._head(tenant, plan.scope, known, more, found, now))
        return Look(evaluation, tuple(writes))

    def _head(
        self, tenant: str, scope: str, known: Known, more: Mapping[str, HostHistory], found: Unsealed, now: float
    ) -> Put:
        late = found.next_late({host: one.sealed_ns for host, one in more.items()}, int(now * 1e9))
        return self._histories.write(tenant, scope, known, more, late, now)
