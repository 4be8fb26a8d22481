"""What a load goes through: for each stage its population. Pure and seeded; which stage is due, scenarios.py knows.

Stages of the same profile share their processes: the smaller one is the beginning of the larger, so that growth adds
and shrinking takes away. Critical processes live through all stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from chalicelib.domain.load import LoadSpec, StageSpec, stages_of
from chalicelib.domain.load.part import grouped, idle, starts_per_second
from loadsim.population.groups import members
from loadsim.population.process_spec import ProcessSpec
from loadsim.population.profiles import critical_process, of_profile, population_of, with_churn, within_memory_budget


@dataclass(frozen=True)
class Population:
    """A stage and its processes."""

    stage: StageSpec
    specs: tuple[ProcessSpec, ...]

    @property
    def starts_per_second(self) -> float:
        """Starts, and ends, a second that it asks for."""
        return starts_per_second(self.stage)

    @property
    def memory_bytes(self) -> int:
        """What its processes allocate together at their highest."""
        return sum(spec.memory_bytes for spec in self.specs)


def populations(spec: LoadSpec) -> tuple[Population, ...]:
    """One for each stage, in order; a load without a scenario has one."""
    stages = stages_of(spec)
    if not spec.scenario:
        return (Population(stages[0], tuple(population_of(spec))),)
    random = Random(f"critical/{spec.seed}")
    critical = [critical_process(slot, random) for slot in range(spec.critical)]
    return tuple(Population(stage, tuple(critical + _others(stage, stages, spec))) for stage in stages)


def _others(stage: StageSpec, stages: Sequence[StageSpec], spec: LoadSpec) -> list[ProcessSpec]:
    """Everything but the critical ones: cut from the largest stage of the same profile with as many busy ones."""
    alike = [other for other in stages if (other.profile, other.busy) == (stage.profile, stage.busy)]
    most = max(idle(other, spec.critical) for other in alike)
    random = Random(f"{stage.profile}/{spec.seed}")
    largest = of_profile(stage.profile, spec.critical, stage.busy, most, random)
    if stage.profile != "process-churn":
        largest = within_memory_budget(largest)  # before it is cut, so that a process has one size in all stages
    own = largest[: stage.count - grouped(stage) - spec.critical]
    own = within_memory_budget(with_churn(own, stage.profile, stage.starts_per_second, spec.seed))
    return own + members(stage.groups, spec.seed)
