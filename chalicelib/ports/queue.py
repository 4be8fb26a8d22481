"""The work queue between the tick and the steps: at least once, in no order, possibly twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.model import Value


class Work(Value):
    """One experiment to step."""

    tenant: str
    experiment: str


class WorkQueue(Protocol):
    """Raises Unavailable when the queue cannot be reached."""

    def send(self, batches: Sequence[Sequence[Work]]) -> None:
        """Hand over batches of work; each is one message."""
