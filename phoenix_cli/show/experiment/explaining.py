"""Why an experiment was decided so, or what it waits for: the rule, the numbers, what would change the answer, what the
answer does not say. Sentences from the experiment's record and its latest evaluation; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.evaluation.interval import hosts_needed
from chalicelib.domain.evaluation.result.result import BREACHES, Evaluation, Reason
from chalicelib.domain.evaluation.verdict.criteria import reduction_ratio
from chalicelib.domain.evaluation.verdict.decision import blocked_by_hosts
from chalicelib.domain.experiment.state import Experiment
from phoenix_cli.show.experiment import canary
from phoenix_cli.show.experiment.facts import coverage_fact, critical_fact, overhead_fact
from phoenix_cli.show.experiment.kpis import kpi_sentences
from phoenix_cli.show.experiment.ruling import next_step, ruling
from phoenix_cli.show.experiment.standing import standing
from phoenix_cli.show.figures import clean, interval, percent, plural, sentence

ASSUMED_MINUTES = 8
"""Time constant of the slowest variation that the method assumes (docs/guides/how-it-decides.md)."""
SHORT_MINUTES = 2 * ASSUMED_MINUTES


@dataclass(frozen=True)
class Section:
    """A heading and whole sentences under it."""

    title: str
    sentences: tuple[str, ...]


def explain(experiment: Experiment, evaluation: Evaluation | None, now: float) -> tuple[Section, ...]:
    """The explanation, without empty sections. now: Unix seconds."""
    found = [Section("Where it stands", standing(experiment, now)), Section("Why", tuple(_why(experiment, evaluation)))]
    if evaluation is not None:
        waiting = experiment.outcome is None and experiment.active
        found += [
            Section("What it waits for", tuple(_waits(evaluation)) if waiting else ()),
            Section("The numbers", tuple(_numbers(evaluation))),
            Section("Criteria and guardrails", tuple(kpi_sentences(evaluation))),
            Section("What would change the answer", tuple(_changes(evaluation))),
            Section("What it does not say", tuple(_limits(evaluation))),
        ]
    step = next_step(experiment, ruling(experiment, evaluation))
    found.append(Section("Next", (step,) if step else ()))
    return tuple(section for section in found if section.sentences)


def explain_document(experiment: Experiment, evaluation: Evaluation | None, now: float) -> dict[str, Any]:
    """The same as JSON values, with the verdict and reason for scripts."""
    ruled = ruling(experiment, evaluation)
    return {
        "name": experiment.name,
        "state": experiment.state.value,
        "verdict": ruled.verdict or None,
        "reason": ruled.reason or None,
        "sections": [
            {"title": section.title, "sentences": list(section.sentences)}
            for section in explain(experiment, evaluation, now)
        ],
    }


def explain_lines(experiment: Experiment, evaluation: Evaluation | None, now: float) -> list[str]:
    """The same for a terminal."""
    ruled = ruling(experiment, evaluation)
    lines = [f"{experiment.name}: {ruled.word.lower()}. {ruled.headline}"]
    for section in explain(experiment, evaluation, now):
        lines += ["", section.title, *(f"  {text}" for text in section.sentences)]
    return lines


def _why(experiment: Experiment, evaluation: Evaluation | None) -> Iterator[str]:
    outcome = experiment.outcome
    if outcome is not None:
        yield f"The verdict is {outcome.verdict.replace('_', ' ')}: {sentence(outcome.explanation)}"
        yield _RULES.get(outcome.reason, f"The rule that fired: {clean(outcome.reason)}.")
        if evaluation is not None and (evaluation.verdict, evaluation.reason) != (outcome.verdict, outcome.reason):
            yield f"A later look says, on its own: {sentence(evaluation.explanation)}"
    elif evaluation is not None:
        yield sentence(evaluation.explanation)
        yield _RULES[evaluation.reason]
    elif experiment.window_start is not None:
        yield "It has not been evaluated yet, so there is no number to explain."
    if evaluation is not None and evaluation.hint:
        yield sentence(evaluation.hint)


def _waits(evaluation: Evaluation) -> Iterator[str]:
    for phrase in evaluation.waiting_for:
        yield f"{phrase[:1].upper()}{sentence(phrase)[1:]}."
    if evaluation.reason in (Reason.UNDECIDED, Reason.DEADLINE):
        yield from _needed(evaluation)


def _needed(evaluation: Evaluation) -> Iterator[str]:
    evidence, left = evaluation.evidence, evaluation.minutes_left
    ratio = reduction_ratio(evidence)
    target = evidence.limits.target
    if ratio is None:
        return
    hosts = None if target is None else hosts_needed(len(evidence.hosts), ratio.width, ratio.value, 1 - target)
    if blocked_by_hosts(evaluation):
        yield "The hosts differ so much that more minutes do not help; more hosts do."
    elif left is not None:
        yield (
            f"At the spread seen so far that takes about {left.about:.0f} more minutes, roughly {left.low:.0f} to "
            f"{left.high:.0f}."
        )
    elif evidence.minutes >= 10:
        yield "No number of minutes up to a week would settle it at the spread seen so far: it is not decidable here."
    if hosts is not None and hosts > len(evidence.hosts):
        yield f"With about {plural(hosts, 'host')} like these it would be settled now, if hosts vary independently."


def _numbers(evaluation: Evaluation) -> Iterator[str]:
    found, evidence = evaluation.reduction, evaluation.evidence
    if found.value is None:
        yield "There is no complete scrape yet: raw, baseline and candidate of one scrape."
    elif found.low is None or found.high is None:
        yield f"The reduction so far is {percent(found.value)}; an interval needs 16 complete scrapes."
    else:
        told = f"The reduction is {percent(found.value)}, its interval {interval(found.low, found.high)}"
        side = "" if found.target is None else f" lies {_side(found.low, found.high, found.target)} the "
        yield f"{told}{side}{f'target of {percent(found.target)}' if found.target is not None else ''}."
        yield (
            f"The spread of 8 batches gives a relative standard error of {(found.standard_error or 0) * 100:.2f} %, "
            f"widened {found.multiplier or 0:.1f} times after {found.minutes:.1f} minutes of looks at every scrape."
        )
    yield from canary.numbers(evaluation)
    yield (
        f"It rests on {plural(evidence.scrapes, 'complete scrape')} of {plural(len(evidence.hosts), 'host')}; coverage "
        f"{coverage_fact(evaluation).text}."
    )
    yield f"Critical processes: {critical_fact(evaluation).text}. Overhead: {overhead_fact(evaluation).text}."
    unused = sum(drop.count for drop in evidence.dropped)
    if unused:
        reasons = ", ".join(sorted({drop.reason.replace("_", " ") for drop in evidence.dropped}))
        yield f"Delivered and not used, with the reason: {unused} ({reasons})."


def _side(low: float, high: float, target: float) -> str:
    return "on the far side of" if low >= target else "below" if high < target else "across"


def _changes(evaluation: Evaluation) -> Iterator[str]:
    found = evaluation.reduction
    if evaluation.reason in BREACHES:
        yield "No saving makes up for this: only a candidate, or a limit, under which it does not happen."
    elif evaluation.reason is Reason.CANNOT_MEASURE:
        yield "Measurements of every stream of every host."
    if found.low is None or found.high is None:
        return
    if found.low > 0:
        yield f"On this data every target up to {percent(found.low)} is reached."
    if found.high < 1:
        yield f"Every target above {percent(found.high)} is out of reach; what lies between is open."
    if evaluation.reason is Reason.TARGET_REACHED:
        yield "A confirmed miss of a critical process, or a limit exceeded, would have rejected it all the same."


def _limits(evaluation: Evaluation) -> Iterator[str]:
    evidence, found = evaluation.evidence, evaluation.reduction
    if evidence.limits.claim == "these-hosts":
        yield "It is about these hosts in this window, not about others (claim: hosts-like-these) nor another time."
    else:
        yield "It is about hosts like these in this window, as far as the measured ones are a fair choice of them."
    yield (
        f"The interval allows for variation with a time constant up to about {ASSUMED_MINUTES} minutes. If your load "
        "swings more slowly, a window shorter than twice the swing can mislead: set schedule.minDuration to that."
    )
    close = found.low is not None and found.high is not None and found.value is not None
    near = found.target is not None and abs((found.value or 0) - found.target) < 0.15
    if close and evidence.minutes < SHORT_MINUTES and near:
        yield (
            f"After {evidence.minutes:.1f} minutes, and so near the target, that matters here: levels that last for "
            "minutes look like certainty until they change."
        )
    if evaluation.overhead.hosts:
        yield f"The collector's cost is for {sentence(evaluation.overhead.covers)}."


_DATA = "Rule 4, too little data: nothing is decided about the saving before there is enough to go by."
_HOLD = "A promotion is held back until this is clear; a rejection is not."
_LIMIT_BROKE = "Rule 3, a limit broke: {} lies over its limit, with its whole interval where it has one."
_RULES: Mapping[str, str] = {
    Reason.CANNOT_MEASURE: "Rule 1, could not measure: a stream that is absent while others report is an error, "
    "never zero.",
    Reason.COLLECTOR_PROBLEM: "Rule 2, something broke: a collector that does not run what is tested cannot be judged.",
    Reason.CRITICAL_MISSING: "Rule 2, something broke: a critical process that raw has and the candidate lacks, in two "
    "scrapes in a row or three in all, rejects at once, whatever is saved.",
    Reason.COLLECTOR_CPU: "Rule 3, a limit broke: the whole interval of the collector's CPU lies over its limit.",
    Reason.COLLECTOR_MEMORY: "Rule 3, a limit broke: the whole interval of the collector's memory lies over its limit.",
    Reason.EXPORT_FAILURES: _LIMIT_BROKE.format("the share of points that the candidate's exporter lost"),
    Reason.DROPPED_POINTS: _LIMIT_BROKE.format("the share of points that the collector refused"),
    Reason.SCRAPE_DURATION: _LIMIT_BROKE.format("the time that a scrape takes at least"),
    Reason.COVERAGE_LIMIT: "Rule 3, a limit broke: a host delivered fewer of its due scrapes than its limit asks for.",
    Reason.SERIES_LIMIT: _LIMIT_BROKE.format("the candidate's number of series"),
    Reason.POINTS_LIMIT: _LIMIT_BROKE.format("the candidate's number of points"),
    Reason.BYTES_LIMIT: _LIMIT_BROKE.format("what the candidate sends"),
    Reason.COST_LIMIT: _LIMIT_BROKE.format("what the candidate costs"),
    Reason.GUARDRAIL_BROKEN: "Rule 3, a limit broke whose severity is pause: a person looks at it, and nothing is "
    "promoted while it is broken.",
    Reason.TOO_FEW_SCRAPES: _DATA,
    Reason.MIN_DURATION: _DATA,
    Reason.TOO_FEW_HOSTS: _DATA,
    Reason.COVERAGE: _DATA,
    Reason.NO_CRITICAL_SEEN: _HOLD,
    Reason.GUARDRAIL_UNMEASURED: _HOLD,
    Reason.CRITERION_UNMEASURED: _HOLD,
    Reason.GUARDRAIL_NEAR_LIMIT: _HOLD,
    Reason.CRITICAL_UNCONFIRMED: _HOLD,
    Reason.STREAM_SILENT: _HOLD,
    Reason.TARGET_REACHED: "Rule 5, the target: promote when the whole interval of every criterion reaches it.",
    Reason.NOT_WORTH_IT: "Rule 5, the target: reject when the whole interval of a criterion stays below it.",
    Reason.UNDECIDED: "Rule 5, the target: nothing is decided while the interval still contains it.",
    Reason.DEADLINE: "Rule 6, the deadline: when time is over and the interval still contains the target, the baseline "
    "stays.",
    "no_evaluation": "Rule 6, the deadline: the last evaluation could not be made in time, and the baseline stays.",
}
