"""Experiments and what a step sees of the world, with only what a test cares about spelt out."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.evaluation.plan import ConfigProof, plan_for
from chalicelib.domain.evaluation.result.result import Reason, Verdict
from chalicelib.domain.experiment.observed import HostView, Observed
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Experiment, Outcome, State
from chalicelib.domain.load import LoadPhase, LoadStatus

NOW = 10_000.0
AB, WINNER, BEFORE = "a" * 64, "b" * 64, "c" * 64
HOSTS = ("h1", "h2")


def spec(**parts: Any) -> ExperimentSpec:
    given = {
        "baseline": {"pipeline": "process-baseline-v1"},
        "candidate": {"pipeline": "process-topk-v1"},
        "targets": {"hosts": list(HOSTS)},
        "critical": [{"name": "^nginx$"}],
        "interval": 5,
        "schedule": {"warmUp": 60, "minDuration": 300, "maxDuration": 600, "evaluateEvery": 30},
        **parts,
    }
    return ExperimentSpec.model_validate(given)


def experiment(
    state: State, *, entered: float = NOW, spec_parts: dict[str, Any] | None = None, **parts: Any
) -> Experiment:
    """An experiment on two hosts in this state."""
    begun = state not in (State.DRAFT, State.PENDING, State.DEPLOYING, State.WARMING_UP)
    given = {
        "uid": "u" * 26,
        "name": "web",
        "spec": spec(**(spec_parts or {})),
        "spec_hash": "d" * 64,
        "hosts": HOSTS,
        "state": state,
        "created_at": NOW - 1000,
        "created_by": "ada",
        "entered_at": entered,
        "deployed_at": entered,
        "window_start": entered if begun else None,
        "configs": dict.fromkeys(HOSTS, AB),
        "previous": dict.fromkeys(HOSTS, f"deployment.base.1 {BEFORE}"),
        "message": "because",
        **parts,
    }
    return Experiment.model_validate(given)


def view(desired: str = "", active: str = "", error: str = "", away: bool = False, of: str = "") -> HostView:
    """A host. error: of the configuration `of`."""
    return HostView(
        desired=desired,
        active=active,
        marker=f"{active[:16]}.1" if active else "",
        confirmed_at=NOW - 5 if active else 0.0,
        errors={of or AB: error} if error else {},
        away_since=NOW - 200 if away else None,
    )


def seen(both: HostView | None = None, **parts: Any) -> Observed:
    """Both hosts alike, unless `hosts` says otherwise."""
    given: dict[str, Any] = {
        "hosts": dict.fromkeys(HOSTS, both or view(AB, AB)),
        "load": {},
        "restored": dict.fromkeys(HOSTS, BEFORE),
        **parts,
    }
    return Observed(**given)


def loads(phase: LoadPhase | None) -> dict[str, LoadStatus | None]:
    return {host: None if phase is None else LoadStatus(phase=phase, reason="why") for host in HOSTS}


def evaluation(verdict: Verdict | None, reason: Reason) -> Evaluation:
    """An evaluation that says so. Its numbers are those of no data at all."""
    proofs = tuple(ConfigProof(host=host, config_hash=AB, marker="m") for host in HOSTS)
    plan = plan_for(
        spec(),
        scope="u" * 26,
        name="web",
        hosts=HOSTS,
        window_start_ns=1,
        deployed_ns=1,
        configs=proofs,
        spec_hash="",
    )
    empty = evaluate(plan, (), (), 2, last=False)
    return empty.model_copy(update={"verdict": verdict, "reason": reason, "explanation": f"says {reason.value}"})


def outcome(verdict: Verdict) -> Outcome:
    return Outcome(verdict=verdict.value, reason="r", explanation="x", at=NOW)


PROMOTE = evaluation(Verdict.PROMOTE, Reason.TARGET_REACHED)
HARM = evaluation(Verdict.REJECT, Reason.CRITICAL_MISSING)
WEAK = evaluation(Verdict.REJECT, Reason.NOT_WORTH_IT)
THIN = evaluation(Verdict.INSUFFICIENT_DATA, Reason.COVERAGE)
BLIND = evaluation(Verdict.ERROR, Reason.CANNOT_MEASURE)
OPEN = evaluation(None, Reason.UNDECIDED)
VAGUE = evaluation(Verdict.INCONCLUSIVE, Reason.DEADLINE)
