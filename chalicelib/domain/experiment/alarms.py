"""Guardrails that pause or warn: a fact that lasts, told once when it begins and once when it is over. Pure.

A fact belongs to a KPI, not to a look or a host: it begins when the KPI's limit is broken anywhere, and is over when
the limit holds everywhere again (touching it ends nothing). One that pauses does so when it begins: after a person
resumed the experiment it goes on, and nothing is promoted while the limit is broken. Guardrails that roll back are no
facts: they end the experiment.
"""

from __future__ import annotations

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Alarm, Event, Experiment
from chalicelib.domain.experiment.transitions import MAX_EVENTS
from chalicelib.domain.kpi.rows import KpiRow
from chalicelib.domain.kpi.words import limited, measured

BROKEN, RECOVERED = "guardrail broken", "guardrail recovered"
"""Causes of the events that say so."""


def watched(experiment: Experiment, evaluation: Evaluation, now: float) -> Experiment:
    """The experiment with the facts that hold after this look, and an event for each that began or ended."""
    known = {alarm.kpi: alarm for alarm in experiment.alarms}
    told: list[Event] = []
    for row in evaluation.kpis:
        if row.severity not in ("pause", "warn"):
            continue
        if row.state == "broken" and row.kpi not in known:
            alarm = Alarm(kpi=row.kpi, severity=row.severity, since=now, detail=_broken(row))
            known[row.kpi] = alarm
            told.append(Event(at=now, state=experiment.state, cause=BROKEN, detail=alarm.detail))
        elif row.state == "ok" and row.kpi in known:
            del known[row.kpi]
            detail = f"{row.title} holds its limit again: {measured(row)}, limit {limited(row)}"
            told.append(Event(at=now, state=experiment.state, cause=RECOVERED, detail=detail))
    alarms = tuple(known.values())
    if alarms == experiment.alarms:
        return experiment
    return experiment.model_copy(update={"alarms": alarms, "events": (*experiment.events, *told)[-MAX_EVENTS:]})


def pausing(before: Experiment, after: Experiment) -> str:
    """Why the experiment is to pause now: the facts that began with this look; "" for none."""
    had = {alarm.kpi for alarm in before.alarms}
    return "; ".join(alarm.detail for alarm in after.alarms if alarm.severity == "pause" and alarm.kpi not in had)


def holding(experiment: Experiment) -> str:
    """What holds back a promotion that nobody ordered: facts that pause, where nothing is left to pause."""
    return "; ".join(alarm.detail for alarm in experiment.alarms if alarm.severity == "pause")


def _broken(row: KpiRow) -> str:
    hosts = ", ".join(row.hosts)
    where = f" on {hosts}" if hosts else ""
    return f"guardrail {row.kpi}{where}: {measured(row)}, limit {limited(row)}"
