"""A group of processes of a custom load: its names, how they use CPU and memory, how long each lives.

Names are built from a template that is checked here character by character; nothing in it is ever evaluated.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from chalicelib.domain.load.bounds import LEAST_LIFETIME_S, MAX_COUNT, MAX_DURATION_S, NAME_LENGTH
from chalicelib.domain.model import Value
from chalicelib.domain.units import Bytes, Ratio, Seconds, show_duration

MAX_PROCESS_MEMORY = 256 * 1024**2
MAX_TEMPLATE = 60
WORDS: tuple[str, ...] = (
    *("api", "auth", "batch", "cache", "cart", "feed", "geo", "index", "ledger", "mail", "media", "price", "queue"),
    *("quote", "route", "search", "stock", "sync", "token", "worker"),
)
"""What {word} may stand for."""
CODE_LENGTH = 3
LEAST_DIGITS = 2
SPIKE = 0.2
"""A spiky process does all its work in this part of its period."""
DEFAULT_SHARE = 0.01

CpuKind = Literal["idle", "steady", "spiky", "growing", "random", "sine"]
MemoryKind = Literal["steady", "spiky", "growing", "random", "sine"]
MAX_SHARE: dict[str, float] = {"steady": 0.5, "spiky": SPIKE, "growing": 0.5, "random": 0.5, "sine": 0.5}
"""Largest mean share of a core of one process: at its peak no pattern needs more than the whole core."""

_PLACES = ("{n}", "{word}", "{code}")
_PLACE = re.compile(r"\{[^{}]*\}")
_FORM = re.compile(r"phx-[a-z0-9-]*[a-z0-9]")


class LoadGroup(Value):
    """So many processes of one kind. What is not given is an idle process with little memory that lives on."""

    name_template: str = Field(max_length=MAX_TEMPLATE)
    """phx-, then small letters, digits and -, and the placeholders {n} (1, 2, … in the group), {word} and {code}
    (drawn by the seed for every process anew). At most 15 characters when filled in."""
    count: int = Field(default=1, ge=1, le=MAX_COUNT)
    """Processes of this group alive at any time."""
    cpu_pattern: CpuKind = "idle"
    """How CPU use goes over each period: even; all in a fifth of it; rising from none, then anew; a new level every
    tenth, drawn by the seed; a wave."""
    cpu_share: Ratio | None = Field(default=None, gt=0, le=0.5)
    """Mean share of a core of each process, such as 2%; left out: 1%, or none when idle."""
    mem_pattern: MemoryKind = "steady"
    """How resident memory goes over each period; `memory` is its highest."""
    memory: Bytes = Field(default=256 * 1024, ge=0, le=MAX_PROCESS_MEMORY)
    """Bytes that each process allocates and touches at most ("4MiB" is understood)."""
    period: Seconds = Field(default=60.0, ge=1, le=3600)
    """Seconds of one spike, wave or rise, of CPU and memory alike."""
    lifetime: Seconds | None = Field(default=None, ge=LEAST_LIFETIME_S, le=MAX_DURATION_S)
    """Mean seconds that a process lives (drawn between half and one and a half of it) until a new one takes its
    place; left out: as long as the load."""
    critical: bool = False
    """Shown first, and never ended by restartsPerMinute. A pipeline keeps it only by a rule of its own."""

    @field_validator("name_template")
    @classmethod
    def _harmless(cls, template: str) -> str:
        for place in _PLACE.findall(template):
            if place not in _PLACES:
                raise ValueError(f"{place[:20]!r} is no placeholder; there are {', '.join(_PLACES)}")
        if not _FORM.fullmatch(_PLACE.sub("0", template)):
            raise ValueError(
                "a name is phx- and then small letters, digits, '-' and placeholders, ending in no '-', such as "
                "phx-worker-{n}, so that no simulated process is taken for a real service"
            )
        return template

    @model_validator(mode="after")
    def _fits(self) -> LoadGroup:
        if (longest := self.longest_name) > NAME_LENGTH:
            raise ValueError(
                f"nameTemplate: names of up to {longest} characters; the kernel keeps {NAME_LENGTH}: shorten it"
            )
        if self.cpu_pattern == "idle":
            if self.cpu_share is not None:
                raise ValueError("cpuShare: an idle process uses none; give a cpuPattern such as steady")
        elif self.share > MAX_SHARE[self.cpu_pattern]:
            most = MAX_SHARE[self.cpu_pattern]
            raise ValueError(
                f"cpuShare: {self.share:.0%} is more than {most:.0%}, the mean at which a {self.cpu_pattern} process "
                "has no need of more than one core at its peak"
            )
        return self

    @property
    def longest_name(self) -> int:
        """Characters of the longest name that the template can give."""
        number = max(LEAST_DIGITS, len(str(self.count)))
        lengths = {"{n}": number, "{word}": max(map(len, WORDS)), "{code}": CODE_LENGTH}
        return len(_PLACE.sub(lambda place: "x" * lengths[place.group()], self.name_template))

    @property
    def share(self) -> float:
        """Mean share of a core of each process."""
        if self.cpu_pattern == "idle":
            return 0.0
        return DEFAULT_SHARE if self.cpu_share is None else self.cpu_share

    @property
    def starts_per_second(self) -> float:
        """Mean starts (and ends) a second that its lifetime asks for."""
        return self.count / self.lifetime if self.lifetime else 0.0

    def __str__(self) -> str:
        lives = f", each about {show_duration(self.lifetime)}" if self.lifetime else ""
        return f"{self.count} × {self.name_template}{lives}"


def name_of(template: str, number: int, word: str, code: str) -> str:
    """The name that a checked template gives. number: from 1."""
    return template.replace("{n}", f"{number:0{LEAST_DIGITS}d}").replace("{word}", word).replace("{code}", code)


__all__ = ["CpuKind", "LoadGroup", "MemoryKind", "name_of"]
