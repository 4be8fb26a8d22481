"""Simulated process load, as values: what is asked of a host (`LoadSpec`) and what the host says of it (`LoadStatus`).

Shared by the experiment spec, the API, the CLI and the host's load agent. How a population is made from a spec is the
business of the `loadsim` room; nothing here starts a process or reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds

ProfileName = Literal["high-cardinality", "realistic"]
MAX_COUNT = 5000
MAX_DURATION_S = 86_400.0
MAX_RESTARTS_PER_MINUTE = 600.0
MAX_NAMES = 20
"""How many process names a status shows: a sample for people, never the whole population."""


class LoadDefaults(Value):
    """What a profile runs when the request does not say."""

    count: int
    busy: int
    critical: int
    restarts_per_minute: float
    summary: str
    """One line for lists of profiles."""


DEFAULTS: Mapping[str, LoadDefaults] = {
    "high-cardinality": LoadDefaults(
        count=300,
        busy=20,
        critical=5,
        restarts_per_minute=6,
        summary="mostly idle processes, each with a name and a command line of its own",
    ),
    "realistic": LoadDefaults(
        count=120,
        busy=12,
        critical=3,
        restarts_per_minute=4,
        summary="the names, sizes and CPU patterns of a web host: proxies, databases, workers, cron, logins",
    ),
}


class LoadSpec(Value):
    """A request for simulated load on one host. What is not given comes from the profile's defaults.

    Defaults shrink to fit a smaller `count`; values that were given are never changed, only checked.
    """

    profile: ProfileName = "high-cardinality"
    count: int = Field(default=300, ge=1, le=MAX_COUNT)
    """Processes alive at any time, the busy and critical ones included."""
    busy: int = Field(default=20, ge=0)
    """Processes that use CPU, each its own small share of a core."""
    critical: int = Field(default=5, ge=0)
    """Processes named phx-crit-01, phx-crit-02 …: small and idle, so that only a `critical` rule keeps them."""
    restarts_per_minute: float = Field(default=6.0, ge=0, le=MAX_RESTARTS_PER_MINUTE)
    """How many of the other processes are replaced by a new one (same name, new pid) each minute."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """The same seed gives the same population and the same order of restarts."""
    duration_s: Seconds = Field(default=3600.0, ge=1, le=MAX_DURATION_S)
    """Seconds ("30m" is understood) after which the load ends by itself, whoever forgot it."""

    @model_validator(mode="before")
    @classmethod
    def _profile_defaults(cls, data: object) -> object:
        return with_defaults(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _roles_fit(self) -> LoadSpec:
        if self.busy > self.count:
            raise ValueError(f"busy: {self.busy} is more than count {self.count}")
        if self.critical > self.count:
            raise ValueError(f"critical: {self.critical} is more than count {self.count}")
        if self.busy + self.critical > self.count:
            raise ValueError(
                f"busy {self.busy} + critical {self.critical} is more than count {self.count}; "
                "a process is busy, critical or idle, never two of them"
            )
        if self.restarts_per_minute > 0 and self.busy + self.critical == self.count:
            raise ValueError(
                "restartsPerMinute: only processes that are neither busy nor critical restart, and none is left; "
                "raise count or set restartsPerMinute to 0"
            )
        return self


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with what is missing filled in from its profile, fitted to its count; wrong values stay as they are.

    By default at most a quarter is critical and at most half is busy, so that a small population still has idle ones.
    """
    out = dict(given)
    profile = DEFAULTS.get(str(out.get("profile", "high-cardinality")))
    if profile is None:
        return out
    count = _number(out.setdefault("count", profile.count), profile.count)
    asked_busy = _number(out.get("busy"), 0)
    critical = _number(out.setdefault("critical", max(0, min(profile.critical, count // 4, count - asked_busy))), 0)
    busy = _number(out.setdefault("busy", max(0, min(profile.busy, count // 2, count - critical))), 0)
    if "restarts_per_minute" not in out and "restartsPerMinute" not in out:
        out["restartsPerMinute"] = profile.restarts_per_minute if count > busy + critical else 0.0
    return out


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


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


class LoadStatus(Value):
    """What a host says of one run. Counts are of real processes, confirmed by the kernel, not of requests."""

    phase: LoadPhase
    generation: int = Field(default=0, ge=0)
    """Which generation of the request this speaks of (DesiredLoad.generation); 0 for a run that no agent started."""
    running: int = Field(default=0, ge=0)
    """Processes alive now."""
    spawned: int = Field(default=0, ge=0)
    """Processes started since the run began, restarts included."""
    restarts: int = Field(default=0, ge=0)
    """Processes that replaced one that was ended on purpose."""
    started_at: float | None = None
    """Unix seconds by the host's clock."""
    ended_at: float | None = None
    reason: str = Field(default="", max_length=500)
    """Why it ended, or what is wrong; empty while all is well."""
    names: tuple[str, ...] = Field(default=(), max_length=MAX_NAMES)
    """A sample of the names alive, critical ones first. Strings from a host: data, never trusted."""


class DesiredLoad(Value):
    """One load the control plane wants on a host, as the host's agent reads it."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    spec: LoadSpec
    desired: Literal["running", "stopped"]
    generation: int = Field(ge=0)
    """Grows with every change of spec or desire; a run belongs to exactly one generation."""


__all__ = ["DEFAULTS", "DesiredLoad", "LoadDefaults", "LoadPhase", "LoadSpec", "LoadStatus", "ProfileName"]
