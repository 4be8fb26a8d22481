"""A fact that lasts (a host is away, a budget is breached): told once when it begins, once when it is over. Pure."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.model import Value
from chalicelib.domain.notification.event import MAX_TEXT, EventType, Notification

FINE = "fine"


class Fact(Value):
    """What holds of a subject now."""

    subject: str
    level: str = FINE
    since: float = 0.0
    number: int = 0
    """How many changes there were: part of the id of each."""


class Seen(Value):
    """What was found of a subject. type: the event that says so."""

    level: str
    type: EventType
    title: str
    data: dict[str, Any]


def changed(fact: Fact | None, subject: str, seen: Seen, now: float) -> tuple[Fact, Notification] | None:
    """The fact afterwards and what is told; None when nothing changed (a subject that is fine from the first is no
    news)."""
    known = fact or Fact(subject=subject)
    if known.level == seen.level:
        return None
    after = Fact(subject=subject, level=seen.level, since=now, number=known.number + 1)
    safe = "".join(c if c.isalnum() or c == "-" else "_" for c in subject)[:72]
    told = Notification(
        id=f"msg_{safe}_{after.number}_{int(now)}",
        type=seen.type,
        at=now,
        subject=subject,
        title=seen.title[:MAX_TEXT],
        data={**seen.data, "before": known.level, "now": seen.level, "since": known.since or None},
    )
    return after, told
