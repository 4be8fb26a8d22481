"""One event on its way to one webhook: when it is tried, what an answer means, when it is given up. Pure.

Back-off with jitter: attempt n waits BACKOFF[n-1] times a factor from 0.5 to 1.5, or what Retry-After asks for, up to a
day. After the last attempt it is a dead letter, which stays for sixty days and can be replayed.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from chalicelib.domain.model import Value
from chalicelib.domain.notification.event import Notification

BACKOFF = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0)
"""Seconds between attempts: about 33 hours in all."""
LONGEST_WAIT = 86400.0
KEPT_S = 30 * 86400
_ATTEMPTS_SHOWN = 10
_GONE = 410


class Standing(StrEnum):
    """pending: more attempts follow. dead: given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True)
class Reply:
    """What a receiver answered. status None: no answer, error says why. body: its first bytes."""

    status: int | None = None
    body: bytes = b""
    error: str = ""
    retry_after: float | None = None
    refused: bool = False
    """The address is one that nothing is ever sent to: trying again is no use."""

    @property
    def good(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300


class Attempt(Value):
    """One attempt, for people."""

    at: float
    status: int | None = None
    error: str = ""


class Delivery(Value):
    """One event to one webhook."""

    id: str
    webhook: str
    webhook_uid: str
    event: Notification
    standing: Standing = Standing.PENDING
    created_at: float
    next_at: float
    count: int = 0
    """Attempts since it was made or replayed."""
    attempts: tuple[Attempt, ...] = Field(default=())
    """The latest."""
    replays: int = 0

    @property
    def pending(self) -> bool:
        """Whether the clock must look at it."""
        return self.standing is Standing.PENDING


def first(event: Notification, webhook: str, uid: str, now: float) -> Delivery:
    """A delivery that is due at once."""
    return Delivery(id=f"{event.id}.{uid}", webhook=webhook, webhook_uid=uid, event=event, created_at=now, next_at=now)


def attempted(delivery: Delivery, reply: Reply, now: float) -> Delivery:
    """The delivery after an attempt. The jitter follows from id and number of the attempt: deliveries that failed
    together come again apart, and the same one always at the same time."""
    error = reply.error or ("" if reply.good else f"the receiver answered {reply.status}")
    attempt = Attempt(at=now, status=reply.status, error=error[:300])
    count = delivery.count + 1
    update: dict[str, object] = {"count": count, "attempts": (*delivery.attempts, attempt)[-_ATTEMPTS_SHOWN:]}
    if reply.good:
        update["standing"] = Standing.DELIVERED
    elif reply.refused or reply.status == _GONE or count > len(BACKOFF):
        update["standing"] = Standing.DEAD
    else:
        jitter = zlib.crc32(f"{delivery.id}#{count}".encode()) / 2**32
        wait = BACKOFF[count - 1] * (0.5 + jitter)
        update["next_at"] = now + min(max(wait, reply.retry_after or 0.0), LONGEST_WAIT)
    return delivery.model_copy(update=update)


def gone(reply: Reply) -> bool:
    """Whether the receiver wants nothing any more (410)."""
    return reply.status == _GONE


def dropped(delivery: Delivery, why: str, now: float) -> Delivery:
    """A delivery that cannot be made any more: its webhook is gone or disabled."""
    attempt = Attempt(at=now, error=why)
    return delivery.model_copy(update={"standing": Standing.DEAD, "attempts": (*delivery.attempts, attempt)})


def replayed(delivery: Delivery, now: float) -> Delivery:
    """The same event once more, under the same id, with all attempts before it."""
    return delivery.model_copy(
        update={"standing": Standing.PENDING, "next_at": now, "count": 0, "replays": delivery.replays + 1}
    )
