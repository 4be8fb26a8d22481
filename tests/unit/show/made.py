"""Experiments and evaluations for the tests of this room, made by the domain's own functions. No test here."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.domain.audit import AuditRecord, record
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Event, Experiment, Outcome, Proof, State
from chalicelib.domain.experiment.transitions import Cause, move
from chalicelib.domain.measurement import Count, ExporterCounters
from tests.unit.evaluation.simulated import DEPLOYED, OPENED, WORKER, at, plan_of, sample, scrapes

OPEN = OPENED / 1e9
SENT = DEPLOYED / 1e9
C, S = Cause, State

WAY_TO = {
    S.PENDING: (),
    S.DEPLOYING: ((C.CLOCK, S.DEPLOYING, SENT),),
    S.RUNNING: (
        (C.CLOCK, S.DEPLOYING, SENT),
        (C.EVIDENCE, S.WARMING_UP, SENT + 4),
        (C.CLOCK, S.RUNNING, OPEN),
    ),
}


def spec_of(hosts: Sequence[str] = ("node-01", "node-02"), **changes: Any) -> ExperimentSpec:
    """A spec as a user writes it."""
    return ExperimentSpec.model_validate(
        {
            "baseline": {"pipeline": "process-baseline-v1"},
            "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}},
            "targets": {"hosts": list(hosts)},
            "critical": [{"name": "^nginx$", "id": "nginx"}, {"commandLine": "payments-worker", "id": "payments"}],
            **changes,
        }
    )


def experiment_in(
    state: State = S.RUNNING, hosts: Sequence[str] = ("node-01", "node-02"), **changes: Any
) -> Experiment:
    """An experiment that has come to PENDING, DEPLOYING or RUNNING by the table of transitions."""
    created = SENT - 3
    made = Experiment(
        uid="exp-1",
        name="web-topk",
        spec=spec_of(hosts),
        spec_hash="5bec" * 16,
        hosts=tuple(hosts),
        state=S.PENDING,
        created_at=created,
        created_by="admin",
        entered_at=created,
        configs={host: "c0ffee" * 10 for host in hosts},
        events=(Event(at=created, state=S.PENDING, cause="create", detail="by admin"),),
    )
    for cause, target, when in WAY_TO[state]:
        made = move(made, cause, target, when, "every collector returned the marker" if target is S.WARMING_UP else "")
    return made.model_copy(update=changes)


def decided(experiment: Experiment, evaluation: Evaluation, *, seconds: float = 6.2) -> Experiment:
    """The experiment after a verdict, rolled out or rolled back and read back, `seconds` later."""
    assert evaluation.verdict is not None
    when = evaluation.evidence.window.end_ns / 1e9
    outcome = Outcome(verdict=evaluation.verdict, reason=evaluation.reason, explanation=evaluation.explanation, at=when)
    moved = experiment if evaluation.breach else move(experiment, C.EVIDENCE, S.DECIDING, when, evaluation.explanation)
    good = evaluation.verdict == "promote"
    middle, end = (S.PROMOTING, S.COMPLETED) if good else (S.ROLLING_BACK, S.ROLLED_BACK)
    moved = move(
        moved, C.EVIDENCE, middle, when, "the candidate won: rolling it out" if good else evaluation.explanation
    )
    moved = move(moved, C.EVIDENCE, end, when + seconds, "promoted as deployment web-topk" if good else moved.message)
    proofs = tuple(
        Proof(host=host, content_hash="beef" * 16, marker=f"marker-9-{host}", confirmed_at=when + seconds - 0.4)
        for host in experiment.hosts
    )
    return moved.model_copy(
        update={
            "outcome": outcome,
            "proofs": proofs,
            "promoted_by": "automatic" if good else "",
            "deployment": "web-topk" if good else "",
        }
    )


def noisy(seed: int, raw: int = 7412, share: float = 0.09, spread: int = 40) -> Any:
    """Series of scrape i: baseline equal to raw, the candidate a share of it; the same for the same seed."""

    def series(i: int) -> tuple[int, int, int]:
        here = random.Random(seed * 100_003 + i)
        amount = raw + here.randint(-spread, spread) + (i % 20) * 6
        return amount, amount, round(amount * share) + here.randint(-6, 6)

    return series


def counts_of(plan: EvaluationPlan, number: int, **details: Any) -> list[Count]:
    """Scrapes of every host of the plan."""
    interval = plan.limits.interval_s
    details.setdefault("series", noisy(7))
    return [
        count
        for host in plan.hosts
        for count in scrapes(0, number, interval=interval, phase=interval / 5, host=host, **details)
    ]


def evaluation_of(
    number: int = 53,
    hosts: Sequence[str] = ("node-01", "node-02"),
    *,
    counts: Iterable[Count] | None = None,
    last: bool = False,
    problems: dict[str, str] | None = None,
    now_s: float | None = None,
    **plan_changes: Any,
) -> Evaluation:
    """The evaluation after `number` scrapes of every host; by default one that promotes."""
    plan = plan_of(tuple(hosts), **{"collector_cpu": 0.05, "min_minutes": 10, **plan_changes})
    interval = plan.limits.interval_s
    given = counts_of(plan, number) if counts is None else counts
    samples = [
        sample(
            i * interval + 4,
            0.285 * i,
            host=host,
            rss=(78 + i % 4) * 1024**2,
            exporters={
                "otlp_http/baseline": ExporterCounters(sent_points=7400 * i, sent_bytes=1_100_000 * i),
                "otlp_http/candidate": ExporterCounters(sent_points=660 * i, sent_bytes=101_000 * i),
                "otlp_http/phoenix_kpi": ExporterCounters(sent_points=60 * i),
            },
        )
        for i in range(number)
        for host in hosts
    ]
    now = at(now_s if now_s is not None else number * interval + 2)
    return evaluate(plan, given, samples, now, last=last, host_problems=problems)


def harm(number: int = 12) -> Evaluation:
    """A candidate that loses payments-worker on node-02 from scrape 8 on."""
    plan = plan_of(("node-01", "node-02"))
    counts = scrapes(0, number, host="node-01", series=noisy(3)) + scrapes(
        0, number, host="node-02", series=noisy(4), lost=lambda i: (WORKER,) if i >= 8 else ()
    )
    return evaluation_of(number, plan.hosts, counts=counts)


def chain(experiment: Experiment) -> list[AuditRecord]:
    """An audit trail of the experiment's events."""
    made: list[AuditRecord] = []
    for event in experiment.events:
        detail = {"state": event.state.value, "name": experiment.name, "message": event.detail}
        made.append(
            record(
                made[-1] if made else None,
                subject=f"experiment:{experiment.uid}",
                at=event.at,
                actor="admin" if event.cause == "create" else "clock",
                action=event.cause,
                detail=detail,
            )
        )
    return made


CONFIGS: dict[str, Any] = {
    arm: {
        "receivers": {
            "hostmetrics": {"collection_interval": "15s", "scrapers": {"process": {"mute_process_all_errors": True}}}
        },
        "processors": {} if arm == "baseline" else {"filter/topk": {"error_mode": "propagate"}},
        "exporters": {"debug": {"verbosity": "basic"}},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["debug"]}}},
    }
    for arm in ("baseline", "candidate")
}
