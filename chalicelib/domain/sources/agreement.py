"""Do two sources say the same of the same run? Host by host and arm by arm, in numbers. No verdict rests on this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from chalicelib.domain.model import Value
from chalicelib.domain.sources.joining import ARMS, Span, joined, spans

MAX_ROWS = 2000
MAX_LOST = 20


class LostProcess(Value):
    """A critical process that the edge counted in an arm, and of which the other source has no sample."""

    pattern: str
    name: str
    pid: int
    scrapes: int


class ArmAgreement(Value):
    """One arm of one host. "There" is the other source. Sums and differences are over the compared scrapes."""

    host: str
    variant: Variant
    scrapes: int
    """Scrapes that the edge counted."""
    compared: int
    """Of those, scrapes that the other source has and can tell apart."""
    missing: int
    """Scrapes of which the other source has nothing."""
    shared: int
    """Scrapes so close to each other that their samples cannot be told apart there."""
    equal: int
    """Compared scrapes with exactly as many samples there as the edge counted data points."""
    edge_points: int
    there_points: int
    difference: int
    """there - edge, summed; differences of both signs may cancel out, `largest` does not."""
    relative: float | None = None
    """difference / edge; None when nothing was compared."""
    largest: int
    """Largest difference of one scrape, without sign."""
    unclaimed_points: int
    """Samples there between the first and the last scrape that belong to no scrape of the edge's."""
    edge_critical: int
    """Critical process-scrapes that the edge counted in the compared scrapes."""
    there_critical: int
    """Of those, found there."""
    lost: tuple[LostProcess, ...] = ()
    """Those not found there, most often missing first; at most 20."""


class Agreement(Value):
    """Both sources on the same run."""

    experiment: str
    source: str
    """The other source, in words."""
    start: float
    end: float
    """Unix seconds, control plane."""
    arms: tuple[ArmAgreement, ...] = ()
    """At most 2 000."""
    scrapes: int = 0
    compared: int = 0
    equal: int = 0
    edge_points: int = 0
    there_points: int = 0
    difference: int = 0
    relative: float | None = None
    largest: int = 0
    reason: str = Field(default="", max_length=500)
    """Why nothing was compared, "" when something was."""


def agreement(
    named: Mapping[str, str], start: float, end: float, edge: Iterable[Count], there: Iterable[Count], interval_s: float
) -> Agreement:
    """named: experiment and source. edge: the edge's counts of the arms. there: parts that the other source has."""
    interval_ns = round(interval_s * 1e9)
    ours: dict[tuple[str, Variant], list[Count]] = {}
    theirs: dict[tuple[str, Variant], list[Count]] = {}
    for found, counts in ((ours, edge), (theirs, there)):
        for count in counts:
            if count.variant in ARMS:
                found.setdefault((count.host, count.variant), []).append(count)
    rows = [
        _arm(host, variant, spans(ours.get((host, variant), ()), interval_ns), theirs.get((host, variant), ()))
        for host, variant in sorted({*ours, *theirs})
    ]
    edge_points, difference = sum(row.edge_points for row in rows), sum(row.difference for row in rows)
    compared = sum(row.compared for row in rows)
    return Agreement(
        experiment=named["experiment"],
        source=named["source"],
        start=start,
        end=end,
        arms=tuple(rows[:MAX_ROWS]),
        scrapes=sum(row.scrapes for row in rows),
        compared=compared,
        equal=sum(row.equal for row in rows),
        edge_points=edge_points,
        there_points=sum(row.there_points for row in rows),
        difference=difference,
        relative=difference / edge_points if edge_points else None,
        largest=max((row.largest for row in rows), default=0),
        reason="" if compared else _why_nothing(rows),
    )


def _why_nothing(rows: Sequence[ArmAgreement]) -> str:
    if not any(row.scrapes for row in rows):
        return "the edge has counted no scrape of an arm in this time"
    return "the source has no sample of these hosts and arms in this time: do both arms send to it, with these labels?"


def _arm(host: str, variant: Variant, scrapes: Sequence[Span], parts: Iterable[Count]) -> ArmAgreement:
    found = joined(scrapes, parts)
    places = sorted(set(found.by_span) - found.shared)
    counted = [(scrapes[place], found.by_span[place]) for place in places]
    differences = [sum(part.series for part in read) - scrape.series for scrape, read in counted]
    lost: dict[CriticalProcess, int] = {}
    critical = 0
    for scrape, read in counted:
        critical += len(scrape.critical)
        for process in scrape.critical - {process for part in read for process in part.critical}:
            lost[process] = lost.get(process, 0) + 1
    points = sum(scrape.series for scrape, _ in counted)
    return ArmAgreement(
        host=host,
        variant=variant,
        scrapes=len(scrapes),
        compared=len(counted),
        missing=len(scrapes) - len(set(found.by_span) | found.shared),
        shared=len(found.shared),
        equal=differences.count(0),
        edge_points=points,
        there_points=points + sum(differences),
        difference=sum(differences),
        relative=sum(differences) / points if points else None,
        largest=max((abs(one) for one in differences), default=0),
        unclaimed_points=_between(scrapes, found.alone),
        edge_critical=critical,
        there_critical=critical - sum(lost.values()),
        lost=tuple(
            LostProcess(pattern=process.pattern, name=process.name, pid=process.pid, scrapes=times)
            for process, times in sorted(lost.items(), key=lambda item: (-item[1], item[0].name, item[0].pid))
        )[:MAX_LOST],
    )


def _between(scrapes: Sequence[Span], alone: Sequence[Count]) -> int:
    if not scrapes:
        return sum(part.series for part in alone)
    first, last = scrapes[0].start_ns, scrapes[-1].end_ns
    return sum(part.series for part in alone if first <= part.start_ns and part.end_ns <= last)
