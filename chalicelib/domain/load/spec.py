"""A request for simulated load on one host (`LoadSpec`), and the same as a host's agent reads it (`DesiredLoad`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from chalicelib.domain.load.bounds import (
    MAX_COUNT,
    MAX_DURATION_S,
    MAX_GROUPS,
    MAX_RESTARTS_PER_MINUTE,
    MAX_STAGES,
    MAX_STARTS_PER_SECOND,
)
from chalicelib.domain.load.group import LoadGroup
from chalicelib.domain.load.part import StageSpec, check
from chalicelib.domain.load.profiles import SCENARIOS, ProfileName, with_defaults
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds, show_duration

LEAST_SCENARIO = 16


class LoadSpec(Value):
    """A request for simulated load on one host. What is not given comes from the profile's defaults.

    Defaults shrink to fit a smaller `count`; values that were given are never changed, only checked.
    """

    profile: ProfileName = "high-cardinality"
    """A profile is one population; a scenario (steady-state, memory-pressure, cardinality-explosion, chaos, or your own
    `stages`) is several of them in time."""
    count: int = Field(default=1000, ge=1, le=MAX_COUNT)
    """Processes alive at any time, the busy and critical ones and those of the groups included: a hard limit."""
    busy: int = Field(default=20, ge=0)
    """Processes that use CPU, each its own small share of a core."""
    critical: int = Field(default=5, ge=0)
    """Processes named phx-crit-01, phx-crit-02 …: small and idle, so that only a `critical` rule keeps them."""
    restarts_per_minute: float = Field(default=6.0, ge=0, le=MAX_RESTARTS_PER_MINUTE)
    """How many of the other processes are replaced by a new one (same name, new pid) each minute."""
    starts_per_second: float = Field(default=0.0, ge=0, le=MAX_STARTS_PER_SECOND)
    """process-churn only: jobs started each second, each in the place of one that ends."""
    groups: tuple[LoadGroup, ...] = Field(default=(), max_length=MAX_GROUPS)
    """Your own processes: all of profile custom, or further ones beside another profile's."""
    stages: tuple[StageSpec, ...] = Field(default=(), max_length=MAX_STAGES)
    """Profile stages only: populations one after the other, again from the first until the duration is over."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """The same seed gives the same population and the same order of restarts."""
    duration_s: Seconds = Field(default=3600.0, ge=1, le=MAX_DURATION_S)
    """Seconds ("30m" is understood) after which the load ends by itself, whoever forgot it."""

    @model_validator(mode="before")
    @classmethod
    def _profile_defaults(cls, data: object) -> object:
        return with_defaults(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _fits(self) -> LoadSpec:
        if (self.profile == "stages") != bool(self.stages):
            raise ValueError("stages: profile stages needs at least one, and no other profile has any")
        if self.profile == "stages":
            self._stages_fit()
        elif self.scenario:
            self._scenario_fits()
        else:
            check(self, self.critical)
        return self

    @property
    def scenario(self) -> bool:
        """Whether it goes through stages."""
        return self.profile in SCENARIOS

    def _scenario_fits(self) -> None:
        if self.count < LEAST_SCENARIO or self.busy + self.critical > self.count // 2:
            raise ValueError(
                f"count: a scenario needs at least {LEAST_SCENARIO} processes, half of them neither busy nor critical"
            )
        self._parts_are_elsewhere(f"the stages of {self.profile} have their own; describe yours with profile stages")

    def _stages_fit(self) -> None:
        if self.busy:
            raise ValueError("busy: each stage has its own; give it there")
        self._parts_are_elsewhere("each stage has its own; give it there")
        for number, stage in enumerate(self.stages):
            if stage.count > self.count:
                raise ValueError(f"stages/{number}: count {stage.count} is more than the load's count {self.count}")
            try:
                check(stage, self.critical)
            except ValueError as error:
                raise ValueError(f"stages/{number} ({stage.name}): {error}") from error
        together = sum(stage.lasts for stage in self.stages)
        if together > self.duration_s:
            raise ValueError(
                f"stages: they last {show_duration(together)} together, longer than durationS "
                f"{show_duration(self.duration_s)}; the last ones would never come"
            )

    def _parts_are_elsewhere(self, why: str) -> None:
        for name, value in (
            ("restartsPerMinute", self.restarts_per_minute),
            ("startsPerSecond", self.starts_per_second),
            ("groups", self.groups),
        ):
            if value:
                raise ValueError(f"{name}: {why}")


class DesiredLoad(Value):
    """One load the control plane wants on a host, as the host's agent reads it."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    spec: LoadSpec
    desired: Literal["running", "stopped"]
    generation: int = Field(ge=0)
    """Grows with every change of spec or desire; a run belongs to exactly one generation."""


__all__ = ["DesiredLoad", "LoadSpec"]
