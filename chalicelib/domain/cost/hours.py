"""What a stream sent in an hour on one host, from the counts of its scrapes. Sums only: no price, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import Field

from chalicelib.domain.measurement import CollectorSample, Count, Variant
from chalicelib.domain.model import Value

HOUR_S = 3600
_SECOND = 1_000_000_000


class StreamHour(Value):
    """One host's hour (or part of one). Sums over scrapes; a scrape without the reference is in `scrapes` only."""

    scope: str
    host: str
    hour: int
    """Unix second at which it begins."""
    scrapes: int = Field(default=0, ge=0)
    """Scrapes in which the stream reported."""
    series: int = Field(default=0, ge=0)
    """Data points of the stream, summed over them."""
    paired: int = Field(default=0, ge=0)
    """Scrapes with stream and reference."""
    paired_series: int = Field(default=0, ge=0)
    reference: int = Field(default=0, ge=0)
    """Data points of the reference in those."""
    bytes_per_point: float | None = None
    """OTLP bytes before compression, by the exporter's own counters; None: it sends nowhere, or has not said."""


def roll(
    scope: str,
    host: str,
    hour: int,
    counts: Iterable[Count],
    samples: Sequence[CollectorSample],
    *,
    kept: Variant,
    reference: Variant,
    interval_s: float,
) -> StreamHour:
    """The hour of one stream. Exact copies count once; parts within half an interval are one scrape, and are added."""
    unique = {(c.variant, c.start_ns, c.end_ns, c.marker, c.series, c.critical): c for c in counts}
    wanted = sorted((c for c in unique.values() if c.variant in (kept, reference)), key=lambda c: c.end_ns)
    made = StreamHour(scope=scope, host=host, hour=hour, bytes_per_point=_bytes_per_point(samples, kept))
    sums = {"scrapes": 0, "series": 0, "paired": 0, "paired_series": 0, "reference": 0}
    for scrape in _scrapes(wanted, interval_s):
        own = sum(c.series for c in scrape if c.variant is kept)
        other = sum(c.series for c in scrape if c.variant is reference)
        seen = {c.variant for c in scrape}
        if kept in seen:
            sums["scrapes"] += 1
            sums["series"] += own
        if len(seen) == 2:
            sums["paired"] += 1
            sums["paired_series"] += own
            sums["reference"] += other
    return made.model_copy(update=sums)


def _scrapes(counts: Sequence[Count], interval_s: float) -> list[list[Count]]:
    gap = round(interval_s * _SECOND / 2)
    made = [[counts[0]]] if counts else []
    for before, count in pairwise(counts):
        if count.end_ns - before.end_ns > gap:
            made.append([])
        made[-1].append(count)
    return made


def _bytes_per_point(samples: Sequence[CollectorSample], kept: Variant) -> float | None:
    """By the newest counters of the stream's own exporter."""
    for sample in sorted(samples, key=lambda one: one.time_ns, reverse=True):
        counters = sample.exporters.get(f"otlp_http/{kept.value}")
        if counters and counters.sent_points and counters.sent_bytes:
            return counters.sent_bytes / counters.sent_points
    return None
