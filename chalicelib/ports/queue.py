"""The work queue between the tick and the steps: at least once, in no order, possibly twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.model import Value


class Work(Value):
    """One thing to step. kind: EXPERIMENT or DEPLOYMENT."""

    kind: str
    tenant: str
    name: str


class WorkQueue(Protocol):
    """Raises Unavailable when the queue cannot be reached."""

    def send(self, batches: Sequence[Sequence[Work]]) -> None:
        """Hand over batches of work; each is one message."""


def encode(batch: Sequence[Work]) -> str:
    """A batch as the text of one message."""
    return json.dumps([work.model_dump() for work in batch])


def decode(body: str) -> list[Work]:
    """The text of one message as a batch."""
    return [Work.model_validate(one) for one in json.loads(body)]
