"""What was decided about an experiment and what was done about it, in words. Nothing is decided here.

The experiment's outcome is the verdict of record; an evaluation speaks for it only until there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.evaluation.result.result import Evaluation, Reason, Verdict
from chalicelib.domain.experiment.spec import PipelineRef
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from phoenix_cli.show.figures import clean, duration, plural, sentence

Tone = Literal["good", "bad", "open", "none"]
"""open: decided, but neither way. none: no verdict."""

_HEADLINES = {
    Reason.CRITICAL_MISSING: "The candidate loses a critical process.",
    Reason.COLLECTOR_CPU: "The collector needs more CPU than allowed.",
    Reason.COLLECTOR_MEMORY: "The collector needs more memory than allowed.",
    Reason.EXPORT_FAILURES: "The candidate's exporter loses more points than allowed.",
    Reason.DROPPED_POINTS: "The collector refuses more points than allowed.",
    Reason.SCRAPE_DURATION: "A scrape takes longer than allowed.",
    Reason.COVERAGE_LIMIT: "A host delivers fewer scrapes than asked for.",
    Reason.SERIES_LIMIT: "The candidate has more series than allowed.",
    Reason.POINTS_LIMIT: "The candidate has more points than allowed.",
    Reason.BYTES_LIMIT: "The candidate sends more bytes than allowed.",
    Reason.COST_LIMIT: "The candidate costs more than allowed.",
    Reason.COLLECTOR_PROBLEM: "A collector did not run the configuration under test as it should.",
    Reason.NOT_WORTH_IT: "The candidate does not save enough.",
    Reason.TARGET_REACHED: "The candidate saves enough and loses nothing critical.",
}
_VERDICTS = {
    Verdict.PROMOTE: "The candidate may replace the baseline.",
    Verdict.REJECT: "The candidate is not fit to replace the baseline.",
    Verdict.INCONCLUSIVE: "The data does not settle it; the baseline stays.",
    Verdict.INSUFFICIENT_DATA: "Too little data to decide; the baseline stays.",
    Verdict.ERROR: "It could not be measured; the baseline stays.",
}
_TONES: dict[str, Tone] = {Verdict.PROMOTE: "good", Verdict.REJECT: "bad", Verdict.ERROR: "bad"}


@dataclass(frozen=True)
class Ruling:
    """The verdict as people read it."""

    verdict: str
    """One of `Verdict`, or "" while there is none."""
    word: str
    """ "PROMOTE", "INSUFFICIENT DATA"; without a verdict the state: "RUNNING"."""
    tone: Tone
    headline: str
    reason: str
    explanation: str
    hint: str = ""
    at: float | None = None
    """Unix seconds of the decision."""


def ruling(experiment: Experiment, evaluation: Evaluation | None) -> Ruling:
    """The verdict of record, else the evaluation's, else what the experiment is doing."""
    outcome = experiment.outcome
    if outcome is not None:
        same = evaluation is not None and evaluation.verdict == outcome.verdict
        hint = evaluation.hint if evaluation and same else ""
        return _decided(outcome.verdict, outcome.reason, outcome.explanation, hint, outcome.at)
    if evaluation is not None and evaluation.verdict is not None:
        at = evaluation.evidence.window.end_ns / 1e9
        return _decided(evaluation.verdict, evaluation.reason, evaluation.explanation, evaluation.hint, at)
    word = experiment.state.value.replace("_", " ").upper()
    message = sentence(experiment.message)
    if experiment.state in END_STATES:
        return Ruling("", word, "none", "It ended without a verdict.", "", message, at=experiment.ended_at)
    said = evaluation.explanation if evaluation else message
    headline = "Not decided yet." if experiment.window_start is not None else "Not measuring yet."
    return Ruling("", word, "none", headline, evaluation.reason if evaluation else "", sentence(said))


def _decided(verdict: str, reason: str, explanation: str, hint: str, at: float) -> Ruling:
    headline = _HEADLINES.get(reason) or _VERDICTS.get(verdict, "")  # type: ignore[call-overload]
    return Ruling(
        verdict=str(verdict),
        word=verdict.replace("_", " ").upper(),
        tone=_TONES.get(verdict, "open"),
        headline=headline,
        reason=str(reason),
        explanation=sentence(explanation),
        hint=sentence(hint),
        at=at,
    )


def aftermath(experiment: Experiment) -> str:
    """What was done about it: one sentence; empty while nothing was."""
    state, hosts = experiment.state, plural(len(experiment.hosts), "host")
    if state is State.COMPLETED:
        by = experiment.promoted_by
        how = "automatically" if by == "automatic" else f"by {sentence(by, 100) or 'an operator'}"
        return f"Rolled out to {hosts} as deployment {experiment.deployment}, {how}{_taken(experiment)}."
    if state in (State.ROLLED_BACK, State.STOPPED):
        if experiment.deployed_at is None:
            return "No host was changed."
        return f"Previous configuration restored on {hosts}{_taken(experiment)}."
    return {
        State.AWAITING_PROMOTION: "It waits for a promotion by hand; both pipelines keep running until then.",
        State.PROMOTING: f"It is being rolled out to {hosts}.",
        State.ROLLING_BACK: f"The previous configuration is being restored on {hosts}.",
        State.STOPPING: f"The previous configuration is being restored on {hosts}.",
    }.get(state, "")


def next_step(experiment: Experiment, ruled: Ruling) -> str:
    """The command that comes next, after a promotion the one that undoes it; empty where there is none."""
    if experiment.state is State.DRAFT:
        return f"phoenix experiment start {experiment.name}"
    if experiment.state is State.PAUSED:
        return f"phoenix experiment resume {experiment.name}"
    if experiment.state is State.AWAITING_PROMOTION:
        return f"phoenix experiment promote {experiment.name}"
    if experiment.state is State.COMPLETED:
        return f"phoenix pipeline rollback {experiment.deployment}"
    return (
        ""
        if experiment.state in END_STATES or ruled.verdict
        else f"phoenix experiment status {experiment.name} --watch"
    )


def arm_title(ref: PipelineRef) -> str:
    """ "process-topk-v1 (k=20)", "lean version 3"."""
    given = ", ".join(f"{key}={clean(value)}" for key, value in sorted(ref.parameters.items()))
    name = f"{ref.pipeline} version {ref.version}" if ref.version else ref.pipeline
    return f"{name} ({given})" if given else name


def confirmed(experiment: Experiment) -> tuple[int, int]:
    """How many of the hosts have returned the marker of what they run now by this experiment, of how many."""
    return len({proof.host for proof in experiment.proofs}), len(experiment.hosts)


def _taken(experiment: Experiment) -> str:
    """ " in 6s, confirmed by both collectors", from the end state's event and proofs."""
    begun = [event.at for event in experiment.events if event.state in _ENDING]
    seconds = f", in {duration(experiment.ended_at - begun[-1])}" if begun and experiment.ended_at is not None else ""
    have, of = confirmed(experiment)
    if have == of:
        return f"{seconds}, read back from {_ALL.get(of, f'all {of} collectors')}"
    return f"{seconds}, read back from {have} of {of} collectors"


_ALL = {1: "its collector", 2: "both collectors"}
_ENDING = frozenset({State.PROMOTING, State.ROLLING_BACK, State.STOPPING})
