"""A cost report: what was measured on each host, under one price book, with everything that it assumes. Pure.

No measurement, no figure: a host without scrapes is a row with a reason and takes part in no sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.cost.bill import MONTH_S, Allotments, Line, Usage, bill, shares, total, unpriced, usage
from chalicelib.domain.cost.hours import StreamHour
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.cost.projection import LEVEL, Total, fleet_total
from chalicelib.domain.model import Value


@dataclass(frozen=True)
class Stream:
    """One host's stream over the window. hours: what was measured. reason: why there is nothing, when there is not.
    since: Unix seconds from which on it could be measured, when that is inside the window."""

    host: str
    pipeline: str
    holder: str
    """Deployment or experiment."""
    interval_s: float
    hours: tuple[StreamHour, ...] = ()
    reason: str = ""
    since: float = 0.0


class HostCost(Value):
    """One host. Money a month; None with the reason when it was not measured."""

    host: str
    pipeline: str
    holder: str
    scrapes: int = 0
    coverage: float | None = None
    """Scrapes received of those due in the window, or since it was deployed, at most 1."""
    series: float | None = None
    """Mean data points per scrape of what is sent."""
    reference: float | None = None
    """Mean of the reference in the same scrapes; None: not counted there."""
    per_month: float | None = None
    saved_per_month: float | None = None
    reason: str = ""


class PipelineCost(Value):
    """All measured hosts of one pipeline."""

    pipeline: str
    hosts: int
    series: float
    per_month: float
    saved_per_month: float | None = None


class Projected(Value):
    """A fleet of `hosts`, from `measured` of them. Series with interval; money at estimate and bounds."""

    hosts: int
    measured: int
    level: float = LEVEL
    series: Total
    per_month: Total
    saved_per_month: Total | None = None
    assumptions: tuple[str, ...]


class CostReport(Value):
    """The answer. `reason` says why there is no total."""

    price_book: PriceBook
    allotments: Allotments
    reference: str
    """What savings are measured against."""
    window_start: float
    window_end: float
    hosts: tuple[HostCost, ...]
    pipelines: tuple[PipelineCost, ...]
    per_month: float | None = None
    reference_per_month: float | None = None
    """What the reference would cost on the hosts where it was counted."""
    saved_per_month: float | None = None
    lines: tuple[Line, ...] = ()
    projection: Projected | None = None
    projection_reason: str = ""
    reason: str = ""
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What a report is made under. bytes_per_point: the user's figure where none was measured. fleet: hosts to project
    to, or None."""

    book: PriceBook
    start: float
    end: float
    reference: str
    allotments: Allotments = "applied"
    bytes_per_point: float | None = None
    fleet: int | None = None


@dataclass(frozen=True)
class _Measured:
    stream: Stream
    scrapes: int
    kept: float
    paired: float | None
    reference: float | None
    bytes_per_point: float | None

    def used(self, series: float) -> Usage:
        return usage(series, self.stream.interval_s, 1, self.bytes_per_point)


def cost_report(streams: Iterable[Stream], terms: Terms) -> CostReport:
    """The report over all streams. Same input, same report."""
    every = list(streams)
    found = {stream.host + "/" + stream.holder: _measured(stream, terms) for stream in every}
    known = {key: one for key, one in found.items() if one is not None}
    kept = {key: one.used(one.kept) for key, one in known.items()}
    reason = "nothing was measured in the window" if not known else unpriced(terms.book, total(kept))
    if reason:
        rows = tuple(_row(s, found[s.host + "/" + s.holder], terms, None, None) for s in every)
        return _empty(terms, rows, reason)
    owed = shares(terms.book, kept, terms.allotments)
    saved = _savings(known, terms)
    rows = tuple(
        _row(s, found[key], terms, owed.get(key), saved.get(key))
        for s, key in ((s, s.host + "/" + s.holder) for s in every)
    )
    whole = bill(terms.book, total(kept), terms.allotments)
    reference = _reference(known, terms)
    projection, why = _projection(list(known.values()), terms)
    return _empty(terms, rows, "").model_copy(
        update={
            "pipelines": _by_pipeline(known, owed, saved),
            "per_month": whole.per_month,
            "reference_per_month": reference,
            "saved_per_month": sum(saved.values()) if saved else None,
            "lines": whole.lines,
            "projection": projection,
            "projection_reason": why,
        }
    )


def _empty(terms: Terms, rows: tuple[HostCost, ...], reason: str) -> CostReport:
    return CostReport(
        price_book=terms.book,
        allotments=terms.allotments,
        reference=terms.reference,
        window_start=terms.start,
        window_end=terms.end,
        hosts=rows,
        pipelines=(),
        reason=reason,
        assumptions=assumptions(terms),
    )


def assumptions(terms: Terms) -> tuple[str, ...]:
    """What every figure of a report rests on."""
    book = terms.book
    used = (
        "included amounts are taken off, for the measured hosts together: what else the account sends is not known here"
        if terms.allotments == "applied"
        else "included amounts are taken as used up by what else the account sends"
    )
    size = (
        (f"{terms.bytes_per_point:g} bytes a data point, as given, where the exporter has not counted its own",)
        if terms.bytes_per_point
        else ()
    )
    return (
        f"price book {book.name}: {book.origin()}",
        "a month is 730 hours, in which every host goes on as it was measured in the window",
        "active series = mean data points per scrape; data points = scrapes at the configured interval",
        used,
        "a host's share of the bill is its share of each charged quantity",
        *size,
        *book.notes,
    )


def _measured(stream: Stream, terms: Terms) -> _Measured | None:
    scrapes = sum(hour.scrapes for hour in stream.hours)
    if not scrapes:
        return None
    paired = sum(hour.paired for hour in stream.hours)
    sizes = [hour.bytes_per_point for hour in stream.hours if hour.bytes_per_point is not None]
    return _Measured(
        stream,
        scrapes,
        sum(hour.series for hour in stream.hours) / scrapes,
        sum(hour.paired_series for hour in stream.hours) / paired if paired else None,
        sum(hour.reference for hour in stream.hours) / paired if paired else None,
        sizes[-1] if sizes else terms.bytes_per_point,
    )


def _row(stream: Stream, one: _Measured | None, terms: Terms, per_month: float | None, saved: float | None) -> HostCost:
    base = HostCost(host=stream.host, pipeline=stream.pipeline, holder=stream.holder)
    if one is None:
        return base.model_copy(update={"reason": stream.reason or "no scrape arrived in the window"})
    due = (terms.end - max(terms.start, stream.since)) / stream.interval_s
    return base.model_copy(
        update={
            "scrapes": one.scrapes,
            "coverage": min(1.0, one.scrapes / due) if due > 0 else None,
            "series": one.kept,
            "reference": one.reference,
            "per_month": per_month,
            "saved_per_month": saved,
        }
    )


def _savings(known: Mapping[str, _Measured], terms: Terms) -> dict[str, float]:
    """By host: its share of the reference's bill less its share of the kept bill, in the scrapes that have both."""
    both = {key: one for key, one in known.items() if one.paired is not None and one.reference is not None}
    kept = shares(terms.book, {k: one.used(one.paired or 0.0) for k, one in both.items()}, terms.allotments)
    full = shares(terms.book, {k: one.used(one.reference or 0.0) for k, one in both.items()}, terms.allotments)
    return {key: full[key] - kept[key] for key in both}


def _reference(known: Mapping[str, _Measured], terms: Terms) -> float | None:
    parts = {key: one.used(one.reference) for key, one in known.items() if one.reference is not None}
    return bill(terms.book, total(parts), terms.allotments).per_month if parts else None


def _by_pipeline(
    known: Mapping[str, _Measured], owed: Mapping[str, float], saved: Mapping[str, float]
) -> tuple[PipelineCost, ...]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, one in known.items():
        groups[one.stream.pipeline].append(key)
    return tuple(
        PipelineCost(
            pipeline=name,
            hosts=len(keys),
            series=sum(known[key].kept for key in keys),
            per_month=sum(owed[key] for key in keys),
            saved_per_month=sum(saved[key] for key in keys) if all(key in saved for key in keys) else None,
        )
        for name, keys in sorted(groups.items())
    )


def _projection(known: Sequence[_Measured], terms: Terms) -> tuple[Projected | None, str]:
    if terms.fleet is None:
        return None, "not asked for"
    series = fleet_total([one.kept for one in known], terms.fleet)
    if series is None:
        return None, f"{len(known)} hosts were measured, more than a fleet of {terms.fleet}"
    mean = _mean_usage(known)

    def money(count: float) -> float:
        whole = usage(max(count, 0.0), mean.interval_s, terms.fleet or 0, mean.bytes_per_point)
        return bill(terms.book, whole, terms.allotments).per_month

    both = [one for one in known if one.paired is not None and one.reference is not None]
    saved = None
    if len(both) == len(known):
        less = fleet_total([(one.reference or 0.0) - (one.paired or 0.0) for one in both], terms.fleet)
        full = fleet_total([one.reference or 0.0 for one in both], terms.fleet)
        if less is not None and full is not None:
            top = full.estimate
            saved = _priced(less, lambda count: money(top) - money(top - count))
    projected = Projected(
        hosts=terms.fleet,
        measured=len(known),
        series=series,
        per_month=_priced(series, money),
        saved_per_month=saved,
        assumptions=("the measured hosts are a random sample of the fleet", *_interval_words(series, len(known))),
    )
    return projected, ""


def _interval_words(series: Total, measured: int) -> tuple[str, ...]:
    if series.low is None:
        return ()
    return (
        f"interval: {LEVEL:.0%}, t with {max(measured - 1, 0)} degrees of freedom, finite fleet, hosts' means about "
        "normal; it holds the spread between hosts, not other weeks or a price that changes",
    )


@dataclass(frozen=True)
class _Mean:
    interval_s: float
    bytes_per_point: float | None


def _mean_usage(known: Sequence[_Measured]) -> _Mean:
    """One interval and size for the fleet: those that give the measured points and bytes back."""
    series = sum(one.kept for one in known)
    points = sum(one.used(one.kept).points for one in known)
    whole = total({str(number): one.used(one.kept) for number, one in enumerate(known)})
    interval = series * MONTH_S / points if points else known[0].stream.interval_s
    size = whole.gigabytes * 1e9 / points if whole.gigabytes is not None and points else _any_size(known)
    return _Mean(interval, size)


def _any_size(known: Sequence[_Measured]) -> float | None:
    """Any size there is, for streams without a single point."""
    return next((one.bytes_per_point for one in known if one.bytes_per_point is not None), None)


def _priced(series: Total, money: Callable[[float], float]) -> Total:
    if series.low is None or series.high is None:
        return Total(estimate=money(series.estimate), reason=series.reason)
    return Total(estimate=money(series.estimate), low=money(series.low), high=money(series.high))
