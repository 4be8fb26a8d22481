"""Gates: webhooks that are asked before a promotion. What they said, and what that means for the experiment. Pure.

No gate approves by silence: without an answer in time the promotion is held for a person, or denied, as the gate says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from pydantic import Field, ValidationError

from chalicelib.domain.experiment.gate import GateStand, GateView
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.model import Value
from chalicelib.domain.notification.event import MAX_TEXT, EventType, Notification
from chalicelib.domain.notification.webhook import Webhook


class Decision(StrEnum):
    """approve, deny: what the gate said, or what a person said for it."""

    APPROVE = "approve"
    DENY = "deny"


class Answer(Value):
    """What a gate answers: in the response to the question, or later over the API."""

    decision: Decision
    reason: str = Field(default="", max_length=500)


class Asked(Value):
    """One question to one gate about one experiment."""

    uid: str
    """Of the experiment."""
    experiment: str
    webhook: str
    asked_at: float
    deadline_at: float
    otherwise: Literal["hold", "deny"]
    answer: Answer | None = None
    answered_at: float | None = None
    answered_by: str = ""

    @property
    def key(self) -> str:
        """Where it is kept."""
        return f"{self.uid}#{self.webhook}"


def question(experiment: Experiment, webhook: Webhook, now: float) -> tuple[Asked, Notification]:
    """What is asked of a gate, and how it is told. Raises ValueError for a webhook that is no gate."""
    gate = webhook.spec.gate
    if gate is None:
        raise ValueError(f"webhook {webhook.spec.name} is no gate")
    asked = Asked(
        uid=experiment.uid,
        experiment=experiment.name,
        webhook=webhook.spec.name,
        asked_at=now,
        deadline_at=now + gate.deadline,
        otherwise=gate.otherwise,
    )
    outcome = experiment.outcome
    told = Notification(
        id=f"msg_gate_{experiment.uid}_{webhook.uid}",
        type=EventType.GATE_ASKED,
        at=now,
        subject=f"experiment:{experiment.name}",
        title=f"may experiment {experiment.name} be promoted? {outcome.explanation if outcome else ''}"[:MAX_TEXT],
        data={
            "experiment": experiment.name,
            "uid": experiment.uid,
            "verdict": outcome.verdict if outcome else None,
            "candidate": experiment.spec.candidate.pipeline,
            "hosts": list(experiment.hosts[:100]),
            "hostCount": len(experiment.hosts),
            "deadline": asked.deadline_at,
            "otherwise": gate.otherwise,
            "answer": {
                "now": {"decision": "approve", "reason": "in the body of the response"},
                "later": f"POST /api/v1/experiments/{experiment.name}/gates/{webhook.spec.name}",
            },
        },
    )
    return asked, told


def said(body: bytes) -> Answer | None:
    """The answer in a response; None when there is none (it comes later), or none that can be understood."""
    try:
        found = json.loads(body)
        return Answer.model_validate(found) if isinstance(found, dict) and "decision" in found else None
    except (ValueError, RecursionError, ValidationError):
        return None


def answered(asked: Asked, answer: Answer, by: str, now: float) -> Asked:
    """The question with its answer; the first one counts."""
    if asked.answer is not None:
        return asked
    return asked.model_copy(update={"answer": answer, "answered_at": now, "answered_by": by})


def standing(questions: Sequence[Asked], now: float) -> GateView:
    """What all gates together mean: one that denies is enough, and all must approve."""
    denied = [one for one in questions if _denies(one, now)]
    if denied:
        one = denied[0]
        why = (one.answer.reason or "no reason given") if one.answer else "no answer in time"
        return GateView(GateStand.DENIED, f"gate {one.webhook} denied it: {why}")
    open_ = [one for one in questions if one.answer is None]
    waiting = [one for one in open_ if now < one.deadline_at]
    if waiting:
        return GateView(GateStand.WAITING, f"waiting for gate {', '.join(one.webhook for one in waiting)}")
    if open_:
        return GateView(
            GateStand.HELD, f"no answer of gate {', '.join(one.webhook for one in open_)}: a person decides"
        )
    return GateView(GateStand.APPROVED if questions else GateStand.NONE, "every gate approved" if questions else "")


def _denies(one: Asked, now: float) -> bool:
    if one.answer is not None:
        return one.answer.decision is Decision.DENY
    return one.otherwise == "deny" and now >= one.deadline_at
