"""Cost by process name, from what recordings of hosts hold: the edge sends no counts by name. Pure.

A recording holds every data point of every process, so that nothing here is a sample or an estimate but the month.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.cost.bill import Allotments, Usage, caused, total, unpriced, usage
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.model import Value

MOST_NAMES = 1000
"""Names with a row of their own; the rest is one row."""
OTHERS = "(all others)"


@dataclass(frozen=True)
class Recorded:
    """One host's recording. points: by executable name, summed over its scrapes."""

    host: str
    interval_s: float
    scrapes: int
    seconds: float
    points: Mapping[str, int]


class NameCost(Value):
    """One executable name over all recorded hosts. Money a month."""

    name: str
    hosts: int
    series: float
    """Mean data points per scrape, summed over the hosts."""
    per_month: float
    share: float
    """Of all recorded data points."""


class NamesReport(Value):
    """Cost of the untouched stream by process name."""

    price_book: PriceBook
    allotments: Allotments
    hosts: int
    scrapes: int
    seconds: float
    """Recorded, over all hosts."""
    series: float
    per_month: float
    fixed_per_month: float
    """Fees that no process causes: for hosts, and flat ones."""
    names: tuple[NameCost, ...]
    assumptions: tuple[str, ...]


def by_name(
    recordings: Sequence[Recorded],
    book: PriceBook,
    allotments: Allotments = "applied",
    bytes_per_point: float | None = None,
) -> NamesReport:
    """The report. Raises InvalidInput: a host twice, nothing recorded, or a book that needs what is not known."""
    hosts = Counter(one.host for one in recordings)
    if twice := [host for host, times in hosts.items() if times > 1]:
        raise InvalidInput(f"two recordings are of host {twice[0]!r}", hint="give one recording for each host")
    if not any(one.scrapes and sum(one.points.values()) for one in recordings):
        raise InvalidInput("no recording holds a data point", hint="record again: phoenix host record")
    series, seen = _series(recordings)
    parts = _parts(recordings, series, bytes_per_point)
    if reason := unpriced(book, total(parts)):
        fix = "give --bytes-per-point, or another price book"
        raise InvalidInput(reason, problems=(Problem("/priceBook", reason, fix),), hint=fix)
    owed, fixed = caused(book, parts, len(recordings), allotments)
    whole = sum(part.series for part in parts.values())
    rows = tuple(
        NameCost(
            name=name,
            hosts=seen.get(name, len(recordings)),
            series=part.series,
            per_month=owed[name],
            share=part.series / whole,
        )
        for name, part in sorted(parts.items(), key=lambda item: (-owed[item[0]], -item[1].series, item[0]))
    )
    return NamesReport(
        price_book=book,
        allotments=allotments,
        hosts=len(recordings),
        scrapes=sum(one.scrapes for one in recordings),
        seconds=sum(one.seconds for one in recordings),
        series=whole,
        per_month=sum(owed.values()) + fixed,
        fixed_per_month=fixed,
        names=rows,
        assumptions=(
            f"price book {book.name}: {book.origin()}",
            "the untouched stream, before any pipeline, as it was recorded",
            "a month is 730 hours, in which every host goes on as it was recorded",
            "included amounts are " + ("taken off" if allotments == "applied" else "taken as used up by other data"),
            "a name's share of the bill is its share of each charged quantity; fees for hosts and months are no name's",
            *((f"{bytes_per_point:g} bytes a data point, as given",) if bytes_per_point else ()),
            *book.notes,
        ),
    )


def _series(recordings: Sequence[Recorded]) -> tuple[dict[str, float], Counter[str]]:
    """Mean points per scrape of each name, and how many hosts have it."""
    series: dict[str, float] = defaultdict(float)
    seen: Counter[str] = Counter()
    for one in recordings:
        for name, points in one.points.items():
            if points and one.scrapes:
                series[name] += points / one.scrapes
                seen[name] += 1
    return dict(series), seen


def _parts(
    recordings: Sequence[Recorded], series: Mapping[str, float], bytes_per_point: float | None
) -> dict[str, Usage]:
    """Usage by name, each host at its own interval; the smallest names together."""
    kept = set(sorted(series, key=lambda name: (-series[name], name))[:MOST_NAMES])
    made: dict[str, list[Usage]] = defaultdict(list)
    for one in recordings:
        for name, points in one.points.items():
            if points and one.scrapes:
                row = name if name in kept else OTHERS
                made[row].append(usage(points / one.scrapes, one.interval_s, 0, bytes_per_point))
    return {name: total({str(number): use for number, use in enumerate(uses)}) for name, uses in made.items()}
