"""Processes that a request describes itself (its groups), and the short-lived jobs of process-churn. Pure and seeded.

Every process with a lifetime is a new one each time: `born` gives the n-th process of a slot its name and command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from chalicelib.domain.load.group import CODE_LENGTH, WORDS, LoadGroup, name_of
from loadsim.population.process_spec import PAGE, CpuPattern, Life, MemoryPattern, ProcessSpec, Role

CODE = "0123456789abcdefghijkmnpqrstuvwxyz"
GROUP_SLOTS = 10_000
"""Slots of the g-th group begin at (g + 1) times this: a group keeps its slots whatever else a population holds."""
LIFETIME_SPREAD = 0.5
JOB = "phx-job-{word}"
JOB_KIB = (64, 192)
"""What a job of process-churn allocates: at least, and less than, in KiB."""


def members(groups: Sequence[LoadGroup], seed: int) -> list[ProcessSpec]:
    """The first processes of all groups, group by group."""
    return [
        _member(index, number, group, seed)
        for index, group in enumerate(groups)
        for number in range(1, group.count + 1)
    ]


def _member(index: int, number: int, group: LoadGroup, seed: int) -> ProcessSpec:
    key = f"group/{seed}/{index}/{number}"
    life = Life(group.lifetime or 0.0, LIFETIME_SPREAD if group.lifetime else 0.0, group.name_template, number, key)
    name, argv = _called(life, 0)
    role: Role = "critical" if group.critical else "busy" if group.share else "idle"
    return ProcessSpec(
        slot=GROUP_SLOTS * (index + 1) + number - 1,
        name=name,
        argv=argv,
        role=role,
        memory_bytes=group.memory // PAGE * PAGE,
        cpu=CpuPattern(group.cpu_pattern, group.share, group.period),
        memory=MemoryPattern(group.mem_pattern, group.period),
        life=life if group.lifetime else None,
        seed=Random(key).getrandbits(32),
    )


def churners(idle: Sequence[ProcessSpec], starts_per_second: float, seed: int) -> list[ProcessSpec]:
    """In the place of each idle process a job; they live so long that all of them make `starts_per_second`."""
    random = Random(f"churn/{seed}")
    mean = len(idle) / starts_per_second
    jobs = []
    for number, spec in enumerate(idle, start=1):
        life = Life(mean, 0.0, JOB, number, f"churn/{seed}/{number}")
        name, argv = _called(life, 0)
        jobs.append(ProcessSpec(spec.slot, name, argv, "idle", random.randrange(*JOB_KIB) * 1024, life=life))
    return jobs


def born(spec: ProcessSpec, life: int) -> ProcessSpec:
    """The process that slot starts after `life` others of it have come to their end."""
    if spec.life is None or life == 0:
        return spec
    name, argv = _called(spec.life, life)
    return replace(spec, name=name, argv=argv)


def lifetime(spec: ProcessSpec, life: int) -> float:
    """Seconds that this process is to live; infinity without a lifetime."""
    if spec.life is None:
        return float("inf")
    if not spec.life.spread:
        return spec.life.mean_s
    return spec.life.mean_s * Random(f"{spec.life.key}/{life}/lifetime").uniform(
        1.0 - spec.life.spread, 1.0 + spec.life.spread
    )


def _called(life: Life, number: int) -> tuple[str, tuple[str, ...]]:
    random = Random(f"{life.key}/{number}")
    word, code = random.choice(WORDS), "".join(random.choices(CODE, k=CODE_LENGTH))
    name = name_of(life.template, life.number, word, code)
    arguments = (f"--n={life.number}", f"--task={random.randrange(16**6):06x}", f"--life={number}")
    return name, (f"/opt/phx/bin/{name}", *arguments)
