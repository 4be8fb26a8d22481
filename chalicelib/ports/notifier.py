"""Posting to the outside, as services ask for it: one bounded attempt that never raises for what a receiver does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.notification.delivery import Reply


class Notifier(Protocol):
    """One attempt at a time; who repeats it, and when, is the domain's business."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Post once, within a deadline of the implementation's. Redirects are not followed; of the answer a bounded
        part is read. An address that is forbidden is `refused`."""
        ...
