"""What happened, as it is told outside: one value an event. What is done with it is in delivery.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from chalicelib.domain.experiment.state import Alarm, Experiment, State
from chalicelib.domain.model import Value

MAX_TEXT = 2000


class EventType(StrEnum):
    """Everything that a webhook can hear of."""

    EXPERIMENT_STARTED = "experiment.started"
    EXPERIMENT_RUNNING = "experiment.running"
    EXPERIMENT_PAUSED = "experiment.paused"
    EXPERIMENT_VERDICT = "experiment.verdict"
    EXPERIMENT_AWAITING = "experiment.awaiting_promotion"
    EXPERIMENT_PROMOTED = "experiment.promoted"
    EXPERIMENT_ROLLED_BACK = "experiment.rolled_back"
    EXPERIMENT_STOPPED = "experiment.stopped"
    EXPERIMENT_FAILED = "experiment.failed"
    GUARDRAIL_BROKEN = "guardrail.broken"
    GUARDRAIL_RECOVERED = "guardrail.recovered"
    DEPLOYMENT_FAILED = "deployment.failed"
    DEPLOYMENT_RESTORED = "deployment.restored"
    BUDGET_WARN = "budget.warn"
    BUDGET_BREACH = "budget.breach"
    BUDGET_RECOVERED = "budget.recovered"
    HOST_AWAY = "host.away"
    HOST_BACK = "host.back"
    WEBHOOK_TEST = "webhook.test"
    GATE_ASKED = "gate.asked"


class Notification(Value):
    """One event, and the outbox item that holds it until every webhook has its delivery."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    """The same however often it is sent: receivers drop what they know."""
    type: EventType
    at: float
    """When it happened, Unix seconds."""
    subject: str = Field(max_length=128)
    """ "experiment:web"."""
    title: str = Field(max_length=MAX_TEXT)
    """One sentence for people."""
    data: dict[str, Any] = Field(default_factory=dict)
    spread: bool = False
    """Whether every webhook that wants it has its delivery."""


_BY_STATE = {
    State.PENDING: EventType.EXPERIMENT_STARTED,
    State.RUNNING: EventType.EXPERIMENT_RUNNING,
    State.PAUSED: EventType.EXPERIMENT_PAUSED,
    State.AWAITING_PROMOTION: EventType.EXPERIMENT_AWAITING,
    State.COMPLETED: EventType.EXPERIMENT_PROMOTED,
    State.ROLLED_BACK: EventType.EXPERIMENT_ROLLED_BACK,
    State.STOPPED: EventType.EXPERIMENT_STOPPED,
    State.FAILED: EventType.EXPERIMENT_FAILED,
}


def of_experiment(before: Experiment | None, after: Experiment, version: int, now: float) -> tuple[Notification, ...]:
    """What a change of an experiment tells. version: that it is stored under: the same change has the same id."""
    found: list[EventType] = []
    if after.outcome is not None and (before is None or before.outcome is None):
        found.append(EventType.EXPERIMENT_VERDICT)
    if (before is None or before.state is not after.state) and after.state in _BY_STATE:
        found.append(_BY_STATE[after.state])
    return (*(_experiment(kind, after, version, now) for kind in found), *_guardrails(before, after, version, now))


def _guardrails(before: Experiment | None, after: Experiment, version: int, now: float) -> tuple[Notification, ...]:
    """Guardrails that pause or warn: once when one breaks, once when it holds again."""
    was = {alarm.kpi: alarm for alarm in before.alarms} if before else {}
    now_broken = {alarm.kpi: alarm for alarm in after.alarms}
    told = [(EventType.GUARDRAIL_BROKEN, alarm) for kpi, alarm in now_broken.items() if kpi not in was]
    if after.active:
        told += [(EventType.GUARDRAIL_RECOVERED, alarm) for kpi, alarm in was.items() if kpi not in now_broken]
    return tuple(_guardrail(kind, alarm, after, version, now) for kind, alarm in told)


def _guardrail(kind: EventType, alarm: Alarm, experiment: Experiment, version: int, now: float) -> Notification:
    said = alarm.detail if kind is EventType.GUARDRAIL_BROKEN else f"guardrail {alarm.kpi} holds its limit again"
    return Notification(
        id=f"msg_{experiment.uid}_{version}_{kind.value.replace('.', '-')}_{alarm.kpi}",
        type=kind,
        at=now,
        subject=f"experiment:{experiment.name}",
        title=f"experiment {experiment.name}: {said}"[:MAX_TEXT],
        data={
            "experiment": experiment.name,
            "uid": experiment.uid,
            "state": experiment.state.value,
            "kpi": alarm.kpi,
            "severity": alarm.severity,
            "since": alarm.since,
            "detail": alarm.detail[:MAX_TEXT],
        },
    )


def _experiment(kind: EventType, experiment: Experiment, version: int, now: float) -> Notification:
    outcome = experiment.outcome
    said = kind.value.partition(".")[2].replace("_", " ")
    title = f"experiment {experiment.name}: {said}"
    if kind is EventType.EXPERIMENT_VERDICT and outcome:
        title = f"experiment {experiment.name}: verdict {outcome.verdict.replace('_', ' ')}. {outcome.explanation}"
    elif experiment.message:
        title = f"{title}: {experiment.message}"
    return Notification(
        id=f"msg_{experiment.uid}_{version}_{kind.value.replace('.', '-')}",
        type=kind,
        at=now,
        subject=f"experiment:{experiment.name}",
        title=title[:MAX_TEXT],
        data={
            "experiment": experiment.name,
            "uid": experiment.uid,
            "state": experiment.state.value,
            "hosts": list(experiment.hosts[:100]),
            "hostCount": len(experiment.hosts),
            "verdict": outcome.verdict if outcome else None,
            "reason": outcome.reason if outcome else None,
            "message": experiment.message[:MAX_TEXT],
            "deployment": experiment.deployment or None,
        },
    )
