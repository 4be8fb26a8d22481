"""What the gates before a promotion say, as an experiment's decision sees it. How they are asked is notification's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GateStand(StrEnum):
    """none: nobody has to be asked. held: a gate gave no answer in time, and a person decides."""

    NONE = "none"
    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    HELD = "held"


@dataclass(frozen=True)
class GateView:
    """All gates together. detail: a sentence for people."""

    stand: GateStand = GateStand.NONE
    detail: str = ""
