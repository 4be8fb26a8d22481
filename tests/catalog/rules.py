"""For every pipeline of the catalog: what it must send for a scrape, said again in Python. Whole numbers and sets only;
nothing is read from the templates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from tests.catalog import brute
from tests.catalog.brute import Row, Scrape
from tests.catalog.sums import Key, Sums

LISTED = {
    "names": "process.executable.name",
    "command_lines": "process.command_line",
    "owners": "process.owner",
}
PLAIN = ("process.parent_pid", "process.executable.path", "process.command")


@dataclass(frozen=True)
class Around:
    """What a pipeline cannot see in a scrape: its interval, what is critical, when its collector began."""

    interval_ns: int
    critical: Sequence[CriticalPattern]
    started: int = 0

    def since(self, started: int) -> Around:
        return replace(self, started=started)


@dataclass
class Expected:
    """The rows of single processes, as a multiset, and the values of sums."""

    rows: Counter[tuple[Any, ...]]
    sums: Mapping[Key, int | float] = field(default_factory=dict)


Rule = Callable[[Scrape], Expected]
Keeps = Callable[[Scrape, Around], set[int]]


@dataclass(frozen=True)
class Case:
    """A pipeline with parameters, and the rule for them."""

    pipeline: str
    parameters: Mapping[str, Any]
    rule: Callable[[Around], Rule]

    @property
    def id(self) -> str:
        given = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return self.pipeline.removeprefix("process-").removesuffix("-v1") + (f"[{given}]" if given else "")


def rows_of(scrape: Scrape, pids: set[int]) -> Iterable[Row]:
    return (row for row in scrape.without_helper() if row.pid in pids)


def keeping(keeps: Keeps) -> Callable[[Around], Rule]:
    """The rule of a pipeline that keeps some processes as they are."""
    return lambda around: lambda scrape: Expected(brute.identities(rows_of(scrape, keeps(scrape, around))))


def baseline() -> Case:
    return Case("process-baseline-v1", {}, keeping(lambda scrape, _: scrape.pids()))


def topk(k: int = 10, memory_floor: int = 0, disk: bool = False) -> Case:
    def rule(around: Around) -> Rule:
        followed = Sums(around.started, "", by_name=False)

        def expect(scrape: Scrape) -> Expected:
            (cpu, memory), marked = brute.scores(scrape), brute.criticals(scrape, around.critical)
            worked: Counter[int] = Counter()
            for row in scrape.rows if disk else ():
                competes = row.pid in marked or cpu[row.pid] > 0 or memory[row.pid] >= memory_floor
                if competes and row.metric == "process.disk.io":
                    worked[row.pid] += int(followed.delta(row, "") or 0)
            pids = brute.top_k(scrape, k, around.critical, memory_floor, worked)
            return Expected(brute.identities(rows_of(scrape, pids)))

        return expect

    return Case("process-topk-v1", {"k": k, "memory_floor": memory_floor, "disk": disk}, rule)


def priority(cpu_min: float = 0.005, memory_min: int = 100 << 20, **lists: Sequence[str]) -> Case:
    def keeps(scrape: Scrape, around: Around) -> set[int]:
        kept = brute.over_thresholds(scrape, cpu_min, memory_min, ())
        for suffix, change in (("drop_", kept.difference_update), ("keep_", kept.update)):
            for name, key in LISTED.items():
                patterns = lists.get(suffix + name, ())
                change(pid for pid, one in scrape.attributes.items() if matches(one, key, patterns))
        return kept | set(brute.criticals(scrape, around.critical))

    return Case("process-priority-filter-v1", {"cpu_min": cpu_min, "memory_min": memory_min, **lists}, keeping(keeps))


def lowered(scrape: Scrape) -> tuple[dict[int, float], dict[int, float]]:
    """CPU share and pages of memory by pid, as read; of equal ones the lower pid's is a little larger."""
    cpu, memory = brute.scores(scrape)
    order = brute.in_order(scrape)
    return (
        {pid: cpu[pid] - pid * 0.00000000000001 for pid in order},
        {pid: memory[pid] / 4096 - pid / 4194304 for pid in order},
    )


def demand(scrape: Scrape) -> dict[int, float]:
    """The larger of share of CPU and share of all resident memory, by pid."""
    cpu, pages = lowered(scrape)
    total = 1.0
    for size in pages.values():
        total += max(size, 0.0)
    return {pid: max(cpu[pid], pages[pid] / total) for pid in cpu}


def most_demanding(scrape: Scrape, k: int, around: Around) -> set[int]:
    shares, marked = demand(scrape), brute.criticals(scrape, around.critical)
    return set(sorted(scrape.pids() - set(marked), key=lambda pid: -shares[pid])[:k])


def adaptive(budget: int = 100, min_processes: int = 10) -> Case:
    def keeps(scrape: Scrape, around: Around) -> set[int]:
        n = len(scrape.pids())
        if n <= budget:
            return scrape.pids()
        k = max(budget * budget // n, min_processes)
        return most_demanding(scrape, k, around) | set(brute.criticals(scrape, around.critical))

    return Case("process-adaptive-filter-v1", {"budget": budget, "min_processes": min_processes}, keeping(keeps))


def kernel(attributes: Mapping[str, Any]) -> bool:
    """A kernel thread: pid 2 or a child of it, without a command line."""
    family = attributes.get("process.pid"), attributes.get("process.parent_pid")
    return attributes.get("process.command_line") == "" and 2 in family


def aggregated(fold_kernel: bool = True) -> Case:
    def rule(around: Around) -> Rule:
        sums = Sums(around.started, "phoenix.process.count")

        def expect(scrape: Scrape) -> Expected:
            marked = brute.criticals(scrape, around.critical)

            def group(pid: int) -> str | None:
                attributes = scrape.attributes[pid]
                folded = fold_kernel and kernel(attributes)
                name = "[kernel]" if folded else str(attributes["process.executable.name"])
                return None if pid in marked else name

            return Expected(brute.identities(rows_of(scrape, set(marked))), sums.after(scrape, group, group))

        return expect

    return Case("process-aggregated-v1", {"fold_kernel": fold_kernel}, rule)


def aggressive(k: int = 5) -> Case:
    def rule(around: Around) -> Rule:
        sums = Sums(around.started, "phoenix.process.count", by_name=False)

        def expect(scrape: Scrape) -> Expected:
            alone = most_demanding(scrape, k, around) | set(brute.criticals(scrape, around.critical))
            rest = sums.after(scrape, lambda _: "", lambda pid: None if pid in alone else "[other]")
            return Expected(brute.identities(rows_of(scrape, alone)), rest)

        return expect

    return Case("process-aggressive-v1", {"k": k}, rule)


def critical() -> Case:
    def rule(around: Around) -> Rule:
        sums = Sums(around.started, "phoenix.host.process.count", prefix="phoenix.host.")

        def expect(scrape: Scrape) -> Expected:
            marked = set(brute.criticals(scrape, around.critical))
            name = {pid: str(one["process.executable.name"]) for pid, one in scrape.attributes.items()}
            return Expected(brute.identities(rows_of(scrape, marked)), sums.after(scrape, name.get, lambda _: ""))

        return expect

    return Case("process-critical-v1", {}, rule)


def in_turn(scrape: Scrape, every: int, around: Around) -> set[int]:
    """Pids whose turn it is: number of the scrape (time ÷ interval) plus pid is a multiple of `every`."""
    times = {row.pid: row.time for row in scrape.rows}
    return {pid for pid, time in times.items() if (time // around.interval_ns + pid) % every == 0}


def basic(every: int = 4) -> Case:
    def rule(around: Around) -> Rule:
        def expect(scrape: Scrape) -> Expected:
            keeps = in_turn(scrape, every, around) | set(brute.criticals(scrape, around.critical))
            metrics = ("process.cpu.time", "process.memory.usage")
            return Expected(brute.identities(row for row in rows_of(scrape, keeps) if row.metric in metrics))

        return expect

    return Case("process-basic-v1", {"every": every}, rule)


def dynamic(busy_cpu: float = 0.5, detail: int = 50, unusual: float = 0.05, every: int = 10) -> Case:
    def keeps(scrape: Scrape, around: Around) -> set[int]:
        shares, (cpu, _) = demand(scrape), lowered(scrape)
        busy = 0.0
        for share in cpu.values():
            busy += max(share, 0.0)
        kept = in_turn(scrape, every, around) | set(brute.criticals(scrape, around.critical))
        kept |= {pid for pid, share in shares.items() if share >= unusual}
        return kept | (most_demanding(scrape, detail, around) if busy >= busy_cpu else set())

    given = {"busy_cpu": busy_cpu, "detail": detail, "unusual": unusual, "every": every}
    return Case("process-dynamic-v1", given, keeping(keeps))


def standard(min_age: int = 30, command_line: bool = False) -> Case:
    def rule(around: Around) -> Rule:
        def expect(scrape: Scrape) -> Expected:
            marked = brute.criticals(scrape, around.critical)
            young = {row.pid for row in scrape.rows if row.time - row.start < min_age * 10**9}
            noise = {pid for pid, one in scrape.attributes.items() if kernel(one)} | young
            dropped = PLAIN if command_line else (*PLAIN, "process.command_line")
            rows = rows_of(scrape, scrape.pids() - (noise - set(marked)))
            return Expected(Counter(_without(row, dropped) for row in rows))

        return expect

    return Case("process-standard-v1", {"min_age": min_age, "command_line": command_line}, rule)


def _without(row: Row, keys: Sequence[str]) -> tuple[Any, ...]:
    attributes = tuple(pair for pair in row.identity[0] if pair[0] not in keys)
    return (attributes, *row.identity[1:])


def matches(attributes: Mapping[str, Any], key: str, patterns: Sequence[str]) -> bool:
    return any(re.search(pattern, attributes.get(key) or "") for pattern in patterns)
