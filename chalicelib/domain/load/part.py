"""One population to keep for a time: a profile, groups of one's own beside it, and how often processes change.

A load is one of these or, as a scenario, several after the other. The rules that bind its numbers together stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field, model_validator

from chalicelib.domain.load.bounds import (
    LEAST_LIFETIME_S,
    MAX_COUNT,
    MAX_CPU,
    MAX_DURATION_S,
    MAX_GROUPS,
    MAX_MEMORY,
    MAX_RESTARTS_PER_MINUTE,
    MAX_STARTS_PER_SECOND,
)
from chalicelib.domain.load.group import LoadGroup
from chalicelib.domain.load.profiles import PlainProfile, stage_with_defaults
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds


class Part(Protocol):
    """What a stage and a load without stages have in common."""

    @property
    def profile(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def busy(self) -> int: ...
    @property
    def restarts_per_minute(self) -> float: ...
    @property
    def starts_per_second(self) -> float: ...
    @property
    def groups(self) -> tuple[LoadGroup, ...]: ...


class StageSpec(Value):
    """One stage of a scenario: a profile kept for a time. The load's critical processes are part of its count."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")
    """What people call this stage."""
    lasts: Seconds = Field(ge=5, le=MAX_DURATION_S)
    """Seconds ("90s" is understood)."""
    profile: PlainProfile = "high-cardinality"
    """The population of this stage."""
    count: int = Field(default=1000, ge=1, le=MAX_COUNT)
    """Processes alive at any time in this stage; at most the load's own count."""
    busy: int = Field(default=20, ge=0)
    """Processes that use CPU, each its own small share of a core."""
    restarts_per_minute: float = Field(default=6.0, ge=0, le=MAX_RESTARTS_PER_MINUTE)
    """How many of the other processes are replaced by a new one each minute."""
    starts_per_second: float = Field(default=0.0, ge=0, le=MAX_STARTS_PER_SECOND)
    """process-churn only: jobs started each second, each in the place of one that ends."""
    groups: tuple[LoadGroup, ...] = Field(default=(), max_length=MAX_GROUPS)
    """Your own processes: all of profile custom, or further ones beside another profile's."""

    @model_validator(mode="before")
    @classmethod
    def _profile_defaults(cls, data: object) -> object:
        return stage_with_defaults(data) if isinstance(data, Mapping) else data


def grouped(part: Part) -> int:
    """Processes of its groups."""
    return sum(group.count for group in part.groups)


def idle(part: Part, critical: int) -> int:
    """Processes of its profile that are neither busy nor critical."""
    return part.count - grouped(part) - part.busy - critical


def starts_per_second(part: Part) -> float:
    """Starts a second that its churn, lifetimes and restarts ask for together; as many ends."""
    lifetimes = sum(group.starts_per_second for group in part.groups)
    return part.starts_per_second + part.restarts_per_minute / 60.0 + lifetimes


def check(part: Part, critical: int) -> None:
    """Raise ValueError naming the field, the rule and what to do, where the numbers do not fit together."""
    _roles_fit(part, critical)
    _changes_fit(part, critical)
    _groups_fit(part)


def _roles_fit(part: Part, critical: int) -> None:
    own, of = part.count - grouped(part), f"count {part.count}"
    if part.profile == "custom":
        if not part.groups:
            raise ValueError("groups: profile custom needs at least one, such as [{nameTemplate: 'phx-job-{n}'}]")
        if own != critical:
            raise ValueError(
                f"count: the groups have {grouped(part)} processes and count is {part.count}; leave count out"
                + (f", or make it {grouped(part) + critical}" if critical else "")
            )
    if part.groups:
        of += f" less the {grouped(part)} of the groups"
    if part.busy > own:
        raise ValueError(f"busy: {part.busy} is more than {of}")
    if critical > own:
        raise ValueError(f"critical: {critical} is more than {of}")
    if part.busy + critical > own:
        raise ValueError(
            f"busy {part.busy} + critical {critical} is more than {of}; "
            "a process is busy, critical or idle, never two of them"
        )


def _changes_fit(part: Part, critical: int) -> None:
    free = 0 if part.profile == "process-churn" else idle(part, critical)
    free += sum(g.count for g in part.groups if not g.critical and g.share == 0 and g.lifetime is None)
    if part.restarts_per_minute > 0 and free == 0:
        raise ValueError(
            "restartsPerMinute: only processes that are neither busy nor critical (nor have a lifetime) restart, and "
            "none is left; raise count or set restartsPerMinute to 0"
        )
    if part.profile != "process-churn" and part.starts_per_second > 0:
        raise ValueError("startsPerSecond: only profile process-churn has it; use restartsPerMinute, or a lifetime")
    if part.profile == "process-churn":
        _churn_fits(part, idle(part, critical))
    if (together := starts_per_second(part)) > MAX_STARTS_PER_SECOND:
        raise ValueError(
            f"starts: churn, lifetimes and restarts ask for {together:.1f} starts a second together; at most "
            f"{MAX_STARTS_PER_SECOND:g}: lengthen lifetimes or lower counts"
        )


def _churn_fits(part: Part, churning: int) -> None:
    if part.starts_per_second <= 0:
        raise ValueError("startsPerSecond: profile process-churn needs more than 0 (20 to 30 is much for one host)")
    least = part.starts_per_second * LEAST_LIFETIME_S
    if churning < least:
        raise ValueError(
            f"startsPerSecond: {part.starts_per_second:g} among {churning} processes leaves each less than "
            f"{LEAST_LIFETIME_S:g} s; raise count or lower startsPerSecond"
        )


def _groups_fit(part: Part) -> None:
    cpu = sum(group.count * group.share for group in part.groups)
    if cpu > MAX_CPU + 1e-9:
        raise ValueError(f"groups: they use {cpu:.2f} cores on average; at most {MAX_CPU:g}: lower cpuShare or counts")
    memory = sum(group.count * group.memory for group in part.groups)
    if memory > MAX_MEMORY:
        raise ValueError(
            f"groups: they allocate {memory / 1024**2:.0f} MiB at their highest; at most "
            f"{MAX_MEMORY // 1024**2} MiB: lower memory or counts"
        )


__all__ = ["Part", "StageSpec", "check", "grouped", "idle", "starts_per_second"]
