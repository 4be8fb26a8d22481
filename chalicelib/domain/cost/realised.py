"""Savings so far: the difference of two bills in the hours that were measured, and in no others. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chalicelib.domain.cost.bill import MONTH_S, Usage, bill, total, unpriced, usage
from chalicelib.domain.cost.hours import HOUR_S, StreamHour
from chalicelib.domain.cost.report import Stream, Terms
from chalicelib.domain.model import Value


class Realised(Value):
    """What was saved. Money in the price book's currency, over the whole time."""

    since: float
    until: float
    host_hours: float
    """Hours measured, summed over all hosts."""
    saved_series_hours: float
    saved: float
    assumptions: tuple[str, ...]


def realised(streams: Iterable[Stream], terms: Terms) -> Realised | None:
    """Savings so far. None when no scrape has both stream and reference, or the book cannot price them."""
    by_hour: dict[int, list[tuple[Stream, StreamHour]]] = defaultdict(list)
    for stream in streams:
        for hour in stream.hours:
            if hour.paired:
                by_hour[hour.hour].append((stream, hour))
    saved = host_hours = series_hours = 0.0
    for parts in by_hour.values():
        kept = total({str(n): _part(s, h, h.paired_series, terms) for n, (s, h) in enumerate(parts)})
        full = total({str(n): _part(s, h, h.reference, terms) for n, (s, h) in enumerate(parts)})
        if unpriced(terms.book, full):
            return None
        difference = bill(terms.book, full, terms.allotments).per_month - (
            bill(terms.book, kept, terms.allotments).per_month
        )
        saved += difference * HOUR_S / MONTH_S
        host_hours += full.hosts
        series_hours += full.series - kept.series
    if not by_hour:
        return None
    return Realised(
        since=min(by_hour),
        until=max(by_hour) + HOUR_S,
        host_hours=host_hours,
        saved_series_hours=series_hours,
        saved=saved,
        assumptions=(
            f"against {terms.reference}, in the same scrapes; time without a scrape counts for nothing",
            "each hour is billed at its own rate, as a part of a month of 730 hours, included amounts too",
        ),
    )


def _part(stream: Stream, hour: StreamHour, series: int, terms: Terms) -> Usage:
    """One host's mean over the hour: an hour that was measured for a half counts for a half."""
    lasted = min(1.0, hour.paired * stream.interval_s / HOUR_S)
    size = hour.bytes_per_point or terms.bytes_per_point
    return usage(series / hour.paired * lasted, stream.interval_s, lasted, size)
