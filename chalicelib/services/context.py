"""What every service is given: the records, the clock, chance. And the one way to try again after a lost race."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.domain.errors import Conflict
from chalicelib.ports.clock import Clock, Entropy
from chalicelib.repositories.records import Records

R = TypeVar("R")
ATTEMPTS = 8


@dataclass(frozen=True)
class Context:
    """Shared by all services of one control plane."""

    records: Records
    clock: Clock
    entropy: Entropy


def retrying(attempt: Callable[[], R]) -> R:
    """Run a read-change-write until it wins its race, eight times at most; the last Conflict is raised."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
