"""Metrics as text that a Prometheus scrapes, as services and routes ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.results.family import Family


class Exposition(Protocol):
    """Writes metrics down."""

    def write(self, families: Sequence[Family], accept: str) -> tuple[str, str]:
        """The text and its content type: OpenMetrics where the Accept header asks for it, Prometheus' own otherwise.
        Labels are escaped. Raises Unavailable when it cannot be written here."""
        ...
