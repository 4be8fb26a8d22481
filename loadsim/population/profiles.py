"""Populations as values: which processes a profile consists of. Pure and seeded; nothing here starts a process.

Names: every simulated process is called `phx-…` (at most 15 characters, the length the kernel keeps), so that none
can be mistaken for a real service. Critical ones are `phx-crit-01`, `phx-crit-02` … in every profile. Groups that a
request describes itself are the business of groups.py, scenarios of stages.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.load import LoadSpec
from chalicelib.domain.load.group import WORDS
from loadsim.population.groups import CODE, churners, members
from loadsim.population.process_spec import PAGE, CpuPattern, ProcessSpec, Role
from loadsim.population.webhost import BUSY_KINDS, IDLE_KINDS, Kind

CPU_BUDGET = 0.4
"""Cores that all busy processes of one population use together at most, however many they are."""
BUSIEST, LEAST_BUSY = 0.024, 0.006
"""Share of a core of the first and the last busy process; those between are evenly spaced: a stable ranking."""
MEMORY_BUDGET = 128 * 1024**2
"""Bytes that all processes of one profile allocate together at most (their interpreters and groups not counted)."""


def population(profile: str, *, count: int, busy: int, critical: int, seed: int) -> list[ProcessSpec]:
    """The processes of `profile`, in slot order: critical, busy (busiest first), idle. Same arguments, same list.

    Raises InvalidInput naming each argument that is out of bounds (those of LoadSpec).
    """
    return population_of(_checked(profile, count=count, busy=busy, critical=critical, seed=seed))


def population_of(spec: LoadSpec) -> list[ProcessSpec]:
    """The processes that a load request of one profile asks for: the profile's, then those of its groups."""
    random = Random(f"{spec.profile}/{spec.seed}")
    own = spec.count - sum(group.count for group in spec.groups)
    specs = [critical_process(slot, random) for slot in range(spec.critical)]
    specs += of_profile(spec.profile, spec.critical, spec.busy, own - spec.busy - spec.critical, random)
    specs = with_churn(specs, spec.profile, spec.starts_per_second, spec.seed)
    return within_memory_budget(specs) + members(spec.groups, spec.seed)


def of_profile(profile: str, first: int, busy: int, idle: int, random: Random) -> list[ProcessSpec]:
    """The busy and the idle processes of a profile, from slot `first` on; custom has none of its own."""
    if profile == "custom":
        return []
    return (_realistic if profile == "realistic" else _high_cardinality)(first, busy, idle, random)


def with_churn(specs: list[ProcessSpec], profile: str, starts_per_second: float, seed: int) -> list[ProcessSpec]:
    """In process-churn the idle processes become short-lived jobs; other profiles stay as they are."""
    if profile != "process-churn":
        return specs
    idle = [spec for spec in specs if spec.role == "idle"]
    return [spec for spec in specs if spec.role != "idle"] + churners(idle, starts_per_second, seed)


def critical_patterns(profile: str, critical: int) -> list[str]:
    """Anchored patterns on process.executable.name, one for each critical process of the profile."""
    _checked(profile, count=critical + 1, busy=0, critical=critical, seed=0)
    return [f"^{_critical_name(slot)}$" for slot in range(critical)]


def _checked(profile: str, **arguments: int) -> LoadSpec:
    try:
        return LoadSpec.model_validate({"profile": profile, "restartsPerMinute": 0, **arguments})
    except ValidationError as error:
        problems = tuple(
            Problem("/" + "/".join(str(part) for part in item["loc"]), str(item["msg"]).removeprefix("Value error, "))
            for item in error.errors()
        )
        detail = "; ".join(f"{p.pointer.strip('/')}: {p.rule}".removeprefix(": ") for p in problems)
        raise InvalidInput(detail, problems=problems) from error


def _critical_name(slot: int) -> str:
    return f"phx-crit-{slot + 1:02d}"


def critical_process(slot: int, random: Random) -> ProcessSpec:
    """The critical process of that slot: small, idle, named by its number."""
    name = _critical_name(slot)
    argv = (f"/opt/phx/bin/{name}", "--role=critical", f"--instance={random.randrange(10**6):06d}")
    return ProcessSpec(slot, name, argv, "critical", 0)


def _shares(busy: int) -> list[float]:
    """Evenly spaced shares of a core, largest first, scaled down together when their sum passes the budget."""
    step = (BUSIEST - LEAST_BUSY) / (busy - 1) if busy > 1 else 0.0
    shares = [BUSIEST - step * rank for rank in range(busy)]
    scale = min(1.0, CPU_BUDGET / sum(shares)) if shares else 1.0
    return [share * scale for share in shares]


def _high_cardinality(first: int, busy: int, idle: int, random: Random) -> list[ProcessSpec]:
    shares = _shares(busy)
    specs = []
    for index, code in enumerate(random.sample(range(len(CODE) ** 3), busy + idle)):
        name = f"phx-{random.choice(WORDS)}-{_coded(code)}"
        argv = (
            f"/opt/phx/bin/{name}",
            f"--shard={random.randrange(4096)}",
            f"--listen=127.0.0.1:{random.randrange(20000, 60000)}",
            f"--config=/etc/phx/{name}.yaml",
        )
        if index < busy:
            cpu = CpuPattern("steady", shares[index])
            specs.append(ProcessSpec(first + index, name, argv, "busy", random.randrange(512, 1024) * 1024, cpu))
        else:
            specs.append(ProcessSpec(first + index, name, argv, "idle", _idle_memory(index, random)))
    return specs


def _idle_memory(index: int, random: Random) -> int:
    """Mostly small; one in 32 is large, so that a ranking by memory is not a ranking by CPU."""
    return random.randrange(1024, 4096) * 1024 if index % 32 == 31 else random.randrange(64, 256) * 1024


def _coded(number: int) -> str:
    out = ""
    for _ in range(3):
        number, digit = divmod(number, len(CODE))
        out = CODE[digit] + out
    return out


def _realistic(first: int, busy: int, idle: int, random: Random) -> list[ProcessSpec]:
    specs = []
    for index, share in enumerate(_shares(busy)):
        kind = BUSY_KINDS[index % len(BUSY_KINDS)]
        cpu = CpuPattern(kind.cpu, share, kind.period_s)
        specs.append(_of_kind(first + index, kind, "busy", cpu, random))
    weights = [kind.weight for kind in IDLE_KINDS]
    for index in range(busy, busy + idle):
        kind = random.choices(IDLE_KINDS, weights)[0]
        specs.append(_of_kind(first + index, kind, "idle", CpuPattern(), random))
    return specs


def _of_kind(slot: int, kind: Kind, role: Role, cpu: CpuPattern, random: Random) -> ProcessSpec:
    arguments = (part.format(n=slot, port=random.randrange(20000, 60000)) for part in kind.arguments)
    size = random.randrange(*kind.memory_kib) * 1024
    return ProcessSpec(slot, kind.name, (f"{kind.folder}/{kind.name}", *arguments), role, size, cpu)


def within_memory_budget(specs: Sequence[ProcessSpec]) -> list[ProcessSpec]:
    """The same processes, all smaller by one factor where they would pass MEMORY_BUDGET; sizes in whole pages."""
    total = sum(spec.memory_bytes for spec in specs)
    scale = min(1.0, MEMORY_BUDGET / total) if total else 1.0
    return [replace(spec, memory_bytes=int(spec.memory_bytes * scale) // PAGE * PAGE) for spec in specs]
