"""One process to run, as a value: name, command line, what it uses, how long it lives. Nothing is chosen or started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.load.bounds import NAME_LENGTH
from chalicelib.domain.load.group import CpuKind, MemoryKind

COMM_LENGTH = NAME_LENGTH
MAX_COMMAND_LINE = 400
"""Bytes of a command line, separators included: the room that the spawner keeps for it."""
PAGE = 4096

Role = Literal["critical", "busy", "idle"]


@dataclass(frozen=True)
class CpuPattern:
    """How one process uses CPU. share: mean fraction of a core. period_s: length of one spike, rise or wave."""

    kind: CpuKind = "idle"
    share: float = 0.0
    period_s: float = 0.0


@dataclass(frozen=True)
class MemoryPattern:
    """How what one process allocates goes over each period, below its `memory_bytes`."""

    kind: MemoryKind = "steady"
    period_s: float = 60.0


@dataclass(frozen=True)
class Life:
    """How long processes of a slot live, and how each new one is called. spread: share of mean_s by which a lifetime
    may be shorter or longer. template, number, key: what groups.born makes a name and a command line of."""

    mean_s: float
    spread: float
    template: str
    number: int
    key: str


@dataclass(frozen=True)
class ProcessSpec:
    """One process to run. argv[0]'s base name is `name`; memory_bytes is what it allocates and touches at most.

    slot: its place in the population; a slot has one process at a time. life: None when it lives as long as the load.
    """

    slot: int
    name: str
    argv: tuple[str, ...]
    role: Role
    memory_bytes: int
    cpu: CpuPattern = CpuPattern()
    memory: MemoryPattern = MemoryPattern()
    life: Life | None = None
    seed: int = 0
    """Of its random patterns."""

    @property
    def restarts(self) -> bool:
        """Whether it may be replaced by a new process: only idle ones are, so that retention and ranking stay sound."""
        return self.role == "idle" and self.life is None
