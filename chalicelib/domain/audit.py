"""The audit record: what happened to a thing, by whom, chained by hash so that a removed or changed record shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from chalicelib.domain.model import Value

START = "0" * 64


class AuditRecord(Value):
    """One record of one subject's chain (`experiment:<uid>`, `host:<name>`, …)."""

    subject: str
    seq: int
    at: float
    actor: str
    action: str
    detail: dict[str, Any]
    previous: str
    digest: str = ""


def record(
    previous: AuditRecord | None, *, subject: str, at: float, actor: str, action: str, detail: dict[str, Any]
) -> AuditRecord:
    """The next record of the chain."""
    made = AuditRecord(
        subject=subject,
        seq=previous.seq + 1 if previous else 1,
        at=at,
        actor=actor,
        action=action,
        detail=detail,
        previous=previous.digest if previous else START,
    )
    return made.model_copy(update={"digest": _digest(made)})


def broken_at(chain: Sequence[AuditRecord]) -> int | None:
    """Sequence number of the first record that does not fit its predecessor, or None when the chain is whole."""
    previous = START
    for position, entry in enumerate(chain, start=1):
        if entry.seq != position or entry.previous != previous or entry.digest != _digest(entry):
            return position
        previous = entry.digest
    return None


def _digest(entry: AuditRecord) -> str:
    body = entry.model_dump(mode="json", exclude={"digest"})
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
