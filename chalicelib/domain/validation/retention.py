"""Whether critical processes survive: what a trial run's sinks hold of each, scrape by scrape, and who dropped it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline.references import pointer
from chalicelib.domain.validation.findings import Finding, Kept, Retention
from chalicelib.domain.validation.outcome import Outcome, Point
from chalicelib.domain.validation.population import Population, Process
from chalicelib.domain.validation.rules import finding
from chalicelib.domain.validation.trial import MARKED, Stage

_MAX_NAMED = 3
Seen = tuple[int, Process]
"""A process in one of the two scrapes (0 or 1)."""


@dataclass(frozen=True)
class Critical:
    """The processes of the scrapes that the collector's own engine calls critical, and the patterns without one."""

    seen: tuple[Seen, ...]
    patterns: tuple[str, ...]
    unmatched: tuple[str, ...]


def critical_seen(patterns: Sequence[CriticalPattern], population: Population, outcome: Outcome) -> Critical:
    """What the marked scrape says. A pattern is unmatched when none of the processes made for it is critical."""
    marks = {dict(point.resource).get("process.pid") for point in _marked(outcome)}
    seen = tuple(
        (index, process)
        for index, scrape in enumerate(population.scrapes)
        for process in scrape.processes
        if process.pid in marks
    )
    pairs = list(zip(patterns, population.stand_ins, strict=True))
    unmatched = tuple(pattern.id for pattern, pids in pairs if not marks.intersection(pids))
    return Critical(seen, tuple(pattern.id for pattern, _ in pairs), unmatched)


def lost(critical: Critical, points: Iterable[Point], population: Population) -> tuple[Seen, ...]:
    """Critical processes that these points do not report, scrape by scrape."""
    middle = (population.scrapes[0].time_ns + population.scrapes[1].time_ns) // 2
    reported = [_Reported(), _Reported()]
    for point in points:
        reported[point.time_ns > middle].add({**dict(point.resource), **dict(point.attributes)})
    generic = _generic_names(population)
    return tuple(one for one in critical.seen if not reported[one[0]].holds(one[1], generic))


def carries_processes(points: Iterable[Point]) -> bool:
    """Whether a stream tells processes apart at all. Counts and host totals do not, and so cannot lose one."""
    return any(_Reported.named({**dict(point.resource), **dict(point.attributes)}) for point in points)


def retention(
    critical: Critical, sinks: Mapping[str, str], outcome: Outcome, population: Population
) -> tuple[dict[str, tuple[Seen, ...]], Retention]:
    """By exporter what it loses, and the verdict over all of them."""
    losses: dict[str, tuple[Seen, ...]] = {}
    for exporter, sink in sinks.items():
        points = outcome.points.get(sink, ())
        if points and not carries_processes(points):
            continue
        if gone := lost(critical, points, population):
            losses[exporter] = gone
    if (
        critical.seen
        and not losses
        and not any(carries_processes(outcome.points.get(sink, ())) for sink in sinks.values())
    ):
        losses = dict.fromkeys(sinks, critical.seen)
    processes = max(len(scrape.processes) for scrape in population.scrapes)
    explanation = (
        f"{len({process.pid for _, process in critical.seen})} critical processes among {processes} in two synthetic "
        f"scrapes; "
        + (f"dropped on the way to {', '.join(sorted(losses))}" if losses else "all of them at every exporter")
    )
    state = Kept.DROPPED if losses else Kept.NOT_CHECKED if critical.unmatched else Kept.KEPT
    if critical.unmatched:
        explanation += f"; no process could be made for {', '.join(critical.unmatched)}"
    return losses, Retention(state=state, explanation=explanation, patterns=critical.patterns, processes=processes)


def dropped_by(critical: Critical, stages: Sequence[Stage], outcome: Outcome, population: Population) -> list[Finding]:
    """One finding for each processor that takes critical processes in and does not let all of them out."""
    found = []
    names = {name for stage in stages for name in (stage.before, stage.after)}
    gone = {name: set(lost(critical, outcome.points.get(name, ()), population)) for name in names}
    for stage in stages:
        dropped = [one for one in critical.seen if one in gone[stage.after] and one not in gone[stage.before]]
        if dropped and carries_processes(outcome.points.get(stage.before, ())):
            found.append(finding("PHX-V130", stage.pointer, f"{stage.name} drops {_named(dropped)}"))
    return found


def dropped_before(losses: Mapping[str, tuple[Seen, ...]]) -> list[Finding]:
    """One finding for each exporter, when no processor is to blame: the receiver leaves the processes out."""
    return [
        finding(
            "PHX-V130",
            pointer(("exporters", exporter)),
            f"exporter {exporter} never gets {_named(gone)}",
            fix="Let the receiver report it: see its include and exclude lists, metrics and attributes.",
        )
        for exporter, gone in losses.items()
    ]


def _named(gone: Sequence[Seen]) -> str:
    named = list(dict.fromkeys(_words(process) for _, process in gone))
    more = f" and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
    return "; ".join(named[:_MAX_NAMED]) + more


def _words(process: Process) -> str:
    how = "just started" if process.utilization is None else "idle" if not process.utilization else "busy"
    what = f"{process.command_line[:60]!r}, {process.owner[:30]}, {how}, {process.memory // 1024} KiB"
    return f"{process.name[:60]!r} ({what})"


class _Reported:
    """Who is in one scrape of one stream."""

    def __init__(self) -> None:
        self._pids: set[Any] = set()
        self._commands: set[Any] = set()
        self._names: set[Any] = set()

    @staticmethod
    def named(labels: Mapping[str, Any]) -> bool:
        return any(key in labels for key in ("process.pid", "process.executable.name", "process.command_line"))

    def add(self, labels: Mapping[str, Any]) -> None:
        if "process.pid" in labels:
            self._pids.add(str(labels["process.pid"]))
        elif "process.command_line" in labels:
            self._commands.add(labels["process.command_line"])
        elif "process.executable.name" in labels:
            self._names.add(labels["process.executable.name"])

    def holds(self, process: Process, generic: set[str]) -> bool:
        """By its pid; where the stream has no pids, by its command line; and where only names are left, by a name that
        no process but critical ones has."""
        if str(process.pid) in self._pids or process.command_line in self._commands:
            return True
        return process.name in self._names and process.name not in generic


def _generic_names(population: Population) -> set[str]:
    """Names that processes have which were not made for a pattern."""
    made = {pid for pids in population.stand_ins for pid in pids}
    return {process.name for scrape in population.scrapes for process in scrape.processes if process.pid not in made}


def _marked(outcome: Outcome) -> list[Point]:
    return [point for point in outcome.points.get(MARKED, ()) if "phoenix.critical" in dict(point.resource)]
