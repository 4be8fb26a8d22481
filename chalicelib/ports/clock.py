"""Time and chance, as services ask for them."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The control plane's clock."""

    def now(self) -> float:
        """Unix seconds."""


class Entropy(Protocol):
    """Identifiers and secrets."""

    def uid(self) -> str:
        """A new identifier: 26 lower-case letters and digits, sortable by time of creation."""

    def secret(self) -> str:
        """43 URL-safe characters from 256 random bits."""
