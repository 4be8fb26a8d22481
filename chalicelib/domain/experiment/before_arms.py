"""What happens to a canary before its arms are told apart: every host runs the baseline and is measured, and then each
host is given its arm. Like `decide`: pure, level-triggered, one transition at a time.

The hosts run through deploying and warming up twice: first for the pre-period, then for the arms.
"""

from __future__ import annotations

from chalicelib.domain.canary.before import PrePeriod
from chalicelib.domain.experiment import sight
from chalicelib.domain.experiment.observed import Observed
from chalicelib.domain.experiment.sight import Decision
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.experiment.transitions import Cause, move, overdue
from chalicelib.domain.units import show_duration


def deployed(experiment: Experiment) -> str:
    """What every collector runs now, in words."""
    if experiment.spec.mode == "dedicated":
        return "both collectors of every host run their arm"
    if experiment.assignment is None:
        return "every collector runs both arms"
    if experiment.before_phase:
        return "every collector runs the baseline: the pre-period follows the warm-up"
    return "every collector runs its arm"


def measuring(experiment: Experiment, seen: Observed, now: float) -> Decision:
    """One step of the pre-period; its hosts are warm and loaded."""
    canary = experiment.spec.canary
    if experiment.before_since is None or canary is None:
        length = show_duration(canary.pre_period) if canary else ""
        message = f"measuring every host on the baseline for {length}, before the arms are told apart"
        return Decision(experiment.model_copy(update={"before_since": now, "message": message}))
    before = seen.before
    if before is not None and not before.thin():
        moved = move(experiment, Cause.EVIDENCE, State.DEPLOYING, now, "the pre-period is measured: offering the arms")
        return Decision(moved.model_copy(update={"before": before}))
    if overdue(experiment, now):
        detail = f"the pre-period was not measured in time: {_thin(before, seen)}"
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, detail))
    return Decision(experiment)


def _thin(before: PrePeriod | None, seen: Observed) -> str:
    thin = before.thin() if before else ()
    found = [f"{one.host}: {one.scrapes} of {one.due} scrapes" for one in thin[:10]]
    return "; ".join(found) or sight.names(list(seen.hosts), seen)
