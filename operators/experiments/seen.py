"""What the control plane was seen to say of one experiment. Values; how it is asked is in `orders`.

Of an experiment only what is mirrored is read: a control plane that is newer than the operator may say more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from chalicelib.domain.evaluation.result.summary import Kept
from chalicelib.domain.experiment.state import State


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class ShownOutcome(_Read):
    """The verdict."""

    verdict: str = Field(max_length=64)


class ShownProgress(_Read):
    """The latest evaluation, in short."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    critical: Kept | None = None


class Shown(_Read):
    """An experiment."""

    uid: Annotated[str, Field(min_length=1, max_length=64)]
    name: str = Field(max_length=63)
    state: State
    managed_by: str = Field(default="", max_length=512)
    spec: dict[str, Any]
    hosts: tuple[str, ...] = ()
    outcome: ShownOutcome | None = None
    progress: ShownProgress | None = None
    message: str = ""


@dataclass(frozen=True)
class NotLooked:
    """Nobody asked yet."""


@dataclass(frozen=True)
class Absent:
    """The control plane has none of this name."""


@dataclass(frozen=True)
class Found:
    """It has one. stop_asked: after it was asked to stop, whatever came of it."""

    experiment: Shown
    stop_asked: bool = field(default=False)


@dataclass(frozen=True)
class Away:
    """The control plane was not reached, or could not answer."""

    why: str


@dataclass(frozen=True)
class Refused:
    """The control plane said no. reason: a word for programs; message: its own words, with the fields and the fix."""

    reason: str
    message: str


Seen = NotLooked | Absent | Found | Away | Refused
