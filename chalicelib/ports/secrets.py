"""Where the credentials of other systems are kept: apart from all items, by name. Nothing here knows what they open."""

from __future__ import annotations

from typing import Protocol

MAX_SECRET = 50_000
"""Bytes of one secret."""


class Secrets(Protocol):
    """Names: letters, digits, ".", "_", "-" and "/", 200 at most. Errors: InvalidInput for another name, TooLarge over
    MAX_SECRET, Unavailable when the place cannot be reached. No message holds a secret."""

    def put(self, name: str, text: str) -> None:
        """Keep it, in place of what was there. Kept when this returns."""

    def get(self, name: str) -> str | None:
        """What is kept, None when nothing is."""

    def delete(self, name: str) -> None:
        """Forget it; it is fine if there is none."""
