"""What the demo runs, and what must come out: three scenarios as values, checked without trusting a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment, State

HOST = "demo-host"
DEPLOYMENT = "current"
BASELINE = "process-baseline-v1"
DROPPED = "phx-crit-03"
BREACH_SECONDS = 30.0


@dataclass(frozen=True)
class Scenario:
    """name: of the experiment. arms: pipeline and parameters of baseline and candidate."""

    name: str
    baseline: dict[str, Any]
    candidate: dict[str, Any]


WIN = Scenario("demo-topk", {"pipeline": BASELINE}, {"pipeline": "process-topk-v1", "parameters": {"k": 10}})
AA = Scenario("demo-aa", WIN.candidate, WIN.candidate)
HARM = Scenario(
    "demo-harm", {"pipeline": BASELINE}, {"pipeline": "demo-harmful-v1", "parameters": {"drop": f"^{DROPPED}$"}}
)


def manifest(scenario: Scenario, count: int, busy: int, critical: int) -> dict[str, Any]:
    """The experiment as a user would write it."""
    return {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": scenario.name, "labels": {"made-by": "demo"}},
        "spec": {
            "baseline": scenario.baseline,
            "candidate": scenario.candidate,
            "targets": {"hosts": [HOST]},
            "critical": [{"name": f"^phx-crit-{number:02d}$"} for number in range(1, critical + 1)],
            "interval": "5s",
            "schedule": {"warmUp": "10s", "minDuration": "80s", "maxDuration": "280s", "evaluateEvery": "5s"},
            "success": {"seriesReduction": {"atLeast": "50%"}},
            "guardrails": {"criticalRetention": "100%"},
            "promotion": "automatic",
            "load": {"profile": "high-cardinality", "count": count, "busy": busy, "critical": critical},
        },
    }


def failures(
    scenario: Scenario, experiment: Experiment, evaluation: Evaluation | None, read_back: dict[str, Any], critical: int
) -> list[str]:
    """What did not come out as it must; empty when everything did."""
    if evaluation is None:
        return [f"there is no evaluation; the experiment is {experiment.state.value}: {experiment.message}"]
    check = {WIN.name: _win, AA.name: _aa, HARM.name: _harm}[scenario.name]
    return check(experiment, evaluation, read_back, critical)


def _win(experiment: Experiment, evaluation: Evaluation, read_back: dict[str, Any], critical: int) -> list[str]:
    wrong = []
    verdict = experiment.outcome.verdict if experiment.outcome else "none"
    if verdict != "promote" or experiment.state is not State.COMPLETED:
        wrong.append(f"verdict {verdict}, state {experiment.state.value}; wanted promote, completed")
    value = evaluation.reduction.value
    if value is None or value < 0.5:
        wrong.append(f"series reduction {value}; wanted 0.5 at least")
    patterns = evaluation.critical.patterns
    retained = [p for p in patterns if p.candidate_retention == 1.0 and p.baseline_retention == 1.0]
    if len(patterns) != critical or len(retained) != critical:
        wrong.append(f"{len(retained)} of {critical} critical processes retained in full")
    return wrong + _proof(read_back, "process-topk-v1")


def _aa(experiment: Experiment, evaluation: Evaluation, read_back: dict[str, Any], critical: int) -> list[str]:
    wrong = []
    if experiment.outcome is None or experiment.outcome.verdict == "promote" or experiment.state is State.COMPLETED:
        wrong.append(f"state {experiment.state.value}, {experiment.outcome}: the same pipeline twice was promoted")
    if evaluation.reduction.value != 0.0:
        wrong.append(f"difference {evaluation.reduction.value}; wanted 0")
    return wrong + _proof(read_back, BASELINE)


def _harm(experiment: Experiment, evaluation: Evaluation, read_back: dict[str, Any], critical: int) -> list[str]:
    wrong = []
    if experiment.outcome is None or experiment.outcome.verdict != "reject":
        wrong.append(f"{experiment.outcome}; wanted reject")
    if experiment.outcome is None or DROPPED not in experiment.outcome.explanation:
        wrong.append(f"the verdict does not name {DROPPED}")
    seconds = seconds_from_breach(experiment, evaluation)
    if seconds is None or seconds > BREACH_SECONDS:
        wrong.append(f"restored {seconds} s after the breach; wanted {BREACH_SECONDS:g} s at most")
    return wrong + _proof(read_back, BASELINE)


def _proof(read_back: dict[str, Any], pipeline: str) -> list[str]:
    if not read_back.get("verified"):
        return [f"the collector was not read back with {pipeline}: {read_back}"]
    return [] if read_back["pipeline"].startswith(pipeline) else [f"{read_back['pipeline']} is active, not {pipeline}"]


def seconds_from_breach(experiment: Experiment, evaluation: Evaluation) -> float | None:
    """From the scrape that confirmed the first breach to the last collector's proof of the restored pipeline."""
    confirmed = [miss.at_ns[min(1, len(miss.at_ns) - 1)] for miss in evaluation.critical.breaches if miss.at_ns]
    proofs = [proof.confirmed_at for proof in experiment.proofs]
    return max(proofs) - min(confirmed) / 1e9 if confirmed and proofs else None


def phases(experiment: Experiment, started: dict[str, float]) -> dict[str, float]:
    """Seconds of each phase, measured: the demo's own before the experiment, then each state by its events."""
    found = dict(started)
    for here, after in zip(experiment.events, experiment.events[1:], strict=False):
        found[here.state.value] = round(found.get(here.state.value, 0.0) + after.at - here.at, 2)
    return found
