"""What a host says of a load: where its run is, and the rates it achieves beside those asked. No request, no clock."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from chalicelib.domain.model import Value

DURATION_REACHED = "duration reached"
"""The reason of a load that came to its end by itself."""
MAX_NAMES = 20
"""How many process names a status shows: a sample for people, never the whole population."""


class LoadPhase(StrEnum):
    """Where a run is. STOPPED and FAILED are ends."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (LoadPhase.STOPPED, LoadPhase.FAILED)


class LoadRates(Value):
    """Starts and ends a second: what was asked, and what was counted over the last `seconds`."""

    asked: float = Field(ge=0)
    """Starts a second that restarts, churn and lifetimes ask for together; as many ends."""
    starts: float = Field(ge=0)
    """Starts a second that were counted."""
    ends: float = Field(ge=0)
    """Ends a second that were counted."""
    seconds: float = Field(gt=0)
    """How long was counted."""


class LoadStage(Value):
    """The stage of a scenario that a run is in."""

    name: str = Field(max_length=40)
    """What people call it."""
    number: int = Field(ge=1)
    """Its place among the scenario's stages, from 1."""
    of: int = Field(ge=1)
    """How many stages there are."""
    round: int = Field(default=1, ge=1)
    """How often the stages have been gone through, this time included."""
    ends_at: float | None = None
    """Unix seconds by the host's clock; none for an only stage."""


class LoadStatus(Value):
    """What a host says of one run. Counts are of real processes, confirmed by the kernel, not of requests."""

    phase: LoadPhase
    generation: int = Field(default=0, ge=0)
    """Which generation of the request this speaks of (DesiredLoad.generation); 0 for a run that no agent started."""
    asked: int | None = Field(default=None, ge=0)
    """Processes asked for now: by the stage a scenario is in; the request's count otherwise."""
    running: int = Field(default=0, ge=0)
    """Processes alive now."""
    spawned: int = Field(default=0, ge=0)
    """Processes started since the run began, restarts included."""
    restarts: int = Field(default=0, ge=0)
    """Processes that replaced one that was ended on purpose."""
    rates: LoadRates | None = None
    """None while too little time was counted to say."""
    stage: LoadStage | None = None
    """None for a load that is no scenario."""
    started_at: float | None = None
    """Unix seconds by the host's clock."""
    ended_at: float | None = None
    """Unix seconds by the host's clock; None while it goes on."""
    reason: str = Field(default="", max_length=500)
    """Why it ended, or what is wrong; empty while all is well."""
    names: tuple[str, ...] = Field(default=(), max_length=MAX_NAMES)
    """A sample of the names alive, critical ones first. Strings from a host: data, never trusted."""


__all__ = ["LoadPhase", "LoadRates", "LoadStage", "LoadStatus"]
