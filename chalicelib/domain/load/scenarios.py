"""Scenarios as stages in time: what each named one consists of, and which stage is due when. Pure: times are arguments.

A scenario's stages take CYCLE_S together (less when the load is shorter, so that each is reached) and then begin anew,
so that an experiment of any length sees all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.load.group import LoadGroup
from chalicelib.domain.load.part import StageSpec
from chalicelib.domain.load.profiles import DEFAULTS, USUAL_LIFE_S
from chalicelib.domain.load.spec import LoadSpec

CYCLE_S = 300.0
LEAST_STAGE_S = 5.0
_HUNGRY = 10
"""One in so many processes grows under memory pressure."""
_HUNGRY_EACH, _HUNGRY_ALL = 32 * 1024**2, 512 * 1024**2


@dataclass(frozen=True)
class Moment:
    """Where a load is. index: of the stage; round: from 1; left_s: until the next stage, None when there is none."""

    index: int
    round: int
    left_s: float | None


def stages_of(spec: LoadSpec) -> tuple[StageSpec, ...]:
    """What a load goes through, in order and over and over; a load without a scenario is one stage."""
    if spec.profile == "stages":
        return spec.stages
    if spec.scenario:
        return _SCENARIOS[spec.profile](_Sizes(spec))
    part = {name: getattr(spec, name) for name in StageSpec.model_fields.keys() & LoadSpec.model_fields.keys()}
    return (StageSpec(name="only", lasts=max(LEAST_STAGE_S, spec.duration_s), **part),)


def moment(stages: Sequence[StageSpec], elapsed: float) -> Moment:
    """Which stage is due `elapsed` seconds after the beginning."""
    if len(stages) == 1:
        return Moment(0, 1, None)
    rounds, rest = divmod(elapsed, sum(stage.lasts for stage in stages))
    for index, stage in enumerate(stages):
        if rest < stage.lasts:
            return Moment(index, int(rounds) + 1, stage.lasts - rest)
        rest -= stage.lasts
    return Moment(len(stages) - 1, int(rounds) + 1, 0.0)  # what adding seconds lost at the very end


class _Sizes:
    """The numbers of a scenario's stages, from the request's count, busy and critical."""

    def __init__(self, spec: LoadSpec) -> None:
        self.count, self.busy, self.critical = spec.count, spec.busy, spec.critical
        self._cycle = min(CYCLE_S, max(spec.duration_s, 1.0))

    def part(self, share: float) -> int:
        """That share of the count, but never fewer than the busy, the critical and one more."""
        return max(int(self.count * share), self.busy + self.critical + 1)

    def stage(self, name: str, length: float, profile: str, count: int, **more: object) -> StageSpec:
        """length: share of the cycle."""
        lasts = max(LEAST_STAGE_S, length * self._cycle)
        given = {"restarts_per_minute": 0.0, "starts_per_second": 0.0, **more}
        return StageSpec.model_validate(
            {"name": name, "lasts": lasts, "profile": profile, "count": count, "busy": self.busy, **given}
        )

    def calm(self, length: float, count: int, restarts: float | None = None) -> StageSpec:
        usual = DEFAULTS["realistic"]
        rate = usual.restarts_per_minute * count / (usual.count or 1) if restarts is None else restarts
        return self.stage("calm", length, "realistic", count, restarts_per_minute=min(rate, 60.0))

    def pressure(self, length: float, room: int) -> StageSpec:
        """`room` processes, some of which grow for as long as the stage lasts."""
        hungry = max(1, min(room // _HUNGRY, room - self.busy - self.critical - 1))
        group = LoadGroup(
            name_template="phx-hungry-{n}",
            count=hungry,
            mem_pattern="growing",
            memory=min(_HUNGRY_EACH, _HUNGRY_ALL // hungry),
            period=max(LEAST_STAGE_S, length * self._cycle),
        )
        return self.stage("pressure", length, "realistic", room, groups=(group,))


def _steady_state(sizes: _Sizes) -> tuple[StageSpec, ...]:
    return (sizes.calm(1.0, sizes.count).model_copy(update={"name": "steady"}),)


def _memory_pressure(sizes: _Sizes) -> tuple[StageSpec, ...]:
    pressure = sizes.pressure(0.6, sizes.count)
    rest = sizes.count - sum(group.count for group in pressure.groups)
    calm = sizes.calm(0.2, rest, restarts=0.0)
    return (calm, pressure, calm.model_copy(update={"name": "relief"}))


def _cardinality_explosion(sizes: _Sizes) -> tuple[StageSpec, ...]:
    steps = (("calm", 0.2, 1 / 8), ("growing", 0.15, 1 / 4), ("doubled", 0.15, 1 / 2), ("exploded", 0.3, 1.0))
    return tuple(
        sizes.stage(name, length, "high-cardinality", sizes.part(share))
        for name, length, share in (*steps, ("collapsed", 0.2, 1 / 8))
    )


def _chaos(sizes: _Sizes) -> tuple[StageSpec, ...]:
    usual = DEFAULTS["process-churn"].starts_per_second
    rate = min(usual, (sizes.count - sizes.busy - sizes.critical) / USUAL_LIFE_S)
    half = sizes.part(1 / 2)
    collapse = sizes.calm(0.2, sizes.part(1 / 8), restarts=60.0)
    return (
        sizes.calm(0.2, half),
        sizes.stage("storm", 0.2, "process-churn", sizes.count, starts_per_second=rate),
        sizes.stage("explosion", 0.2, "high-cardinality", sizes.count, restarts_per_minute=30.0),
        sizes.pressure(0.2, sizes.count),
        collapse.model_copy(update={"name": "collapse"}),
    )


_SCENARIOS = {
    "steady-state": _steady_state,
    "memory-pressure": _memory_pressure,
    "cardinality-explosion": _cardinality_explosion,
    "chaos": _chaos,
}

__all__ = ["Moment", "moment", "stages_of"]
