"""What is to be said of a canary wherever it is shown: which host runs which arm, and what the pre-period was."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.canary.before import Canary
from chalicelib.domain.canary.estimate import sums_in, usable
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.evaluation.verdict.criteria import reduction_ratio
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.measurement import Variant
from phoenix_cli.show.experiment.facts import Fact
from phoenix_cli.show.figures import clean, duration, plural

MAX_NAMED = 8


def arms_fact(experiment: Experiment) -> Fact | None:
    """Which hosts run the candidate, and which the baseline; None in the paired layout."""
    drawn = experiment.assignment
    if drawn is None:
        return None
    named = [f"{arm.value} {_names(drawn.of(arm))}" for arm in (Variant.CANDIDATE, Variant.BASELINE)]
    return Fact("arms", (*named, f"seed {drawn.seed}"))


def phase(experiment: Experiment, now: float) -> tuple[str, ...]:
    """What a canary that is deploying or warming up does, in sentences; () in the paired layout. now: Unix seconds."""
    canary = experiment.spec.canary
    if canary is None or experiment.assignment is None:
        return ()
    candidates = plural(len(experiment.assignment.of(Variant.CANDIDATE)), "host")
    if not experiment.before_phase:
        return (
            f"The pre-period is measured; of {plural(len(experiment.hosts), 'host')}, {candidates} run the candidate.",
        )
    length = duration(canary.pre_period)
    if experiment.before_since is None:
        return (
            f"Every host is to run the baseline first, for a pre-period of {length}; "
            f"then {candidates} get the candidate.",
        )
    left = max(0.0, canary.pre_period - (now - experiment.before_since))
    return (
        f"Every host runs the baseline and is measured for {length}, {duration(left)} of it to come; then {candidates} "
        "get the candidate.",
    )


def numbers(evaluation: Evaluation) -> tuple[str, ...]:
    """How a canary's interval came about, in sentences; () in the paired layout or without an interval."""
    ratio = reduction_ratio(evaluation.evidence)
    if evaluation.evidence.canary is None or ratio is None:
        return ()
    sums = sums_in(evaluation.evidence)
    counts = [len(usable(sums, arm)) for arm in (Variant.CANDIDATE, Variant.BASELINE)]
    wider = "hosts" if ratio.width <= ratio.host_width else "time"
    return (
        f"Each host is compared with its own pre-period, and the candidate's {plural(counts[0], 'host')} with the "
        f"baseline's {plural(counts[1], 'host')}: what happens to all of them cancels.",
        f"How the hosts differ widens the interval by {ratio.host_width:.2f} on the log scale, looks over time by "
        f"{(evaluation.reduction.multiplier or 0) * ratio.error:.2f}; the wider holds, which is that of the {wider}.",
    )


def stands_for(canary: Canary | None) -> tuple[str, str, str, str] | None:
    """A row that says what raw, baseline and candidate are in a canary; None in the paired layout."""
    if canary is None:
        return None
    hosts = plural(len(canary.assignment.of(Variant.CANDIDATE)), "host")
    return ("figures are for", f"the candidate's {hosts}", "expected there", "measured there")


def _names(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - MAX_NAMED} more" if len(hosts) > MAX_NAMED else ""
    return ", ".join(clean(host) for host in hosts[:MAX_NAMED]) + more
