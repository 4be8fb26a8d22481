"""Hours of streams, from what is kept or from measurements, with a bound on how much is added up at a time."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from chalicelib.domain.cost.hours import HOUR_S, StreamHour, roll
from chalicelib.domain.measurement import Variant
from chalicelib.repositories.measurements import RETENTION_SECONDS
from chalicelib.services.context import Context

CLOSED_AFTER_S = 2 * HOUR_S
"""Seconds after its end for which an hour may still change: collectors deliver late for an hour at most."""


def hour_of(second: float) -> int:
    """The beginning of the hour that a second is in."""
    return int(second) // HOUR_S * HOUR_S


@dataclass
class Allowance:
    """How many hours of hosts may still be added up now. skipped: those that had to wait for the clock."""

    left: int
    skipped: int = 0

    def take(self) -> bool:
        """Whether one more may be."""
        if self.left <= 0:
            self.skipped += 1
            return False
        self.left -= 1
        return True


@dataclass(frozen=True)
class Span:
    """One stream on one host for a time. stream, reference: variants. start, end: Unix seconds."""

    scope: str
    host: str
    start: float
    end: float
    interval_s: float
    stream: Variant
    reference: Variant


class StreamHours:
    """Keeps closed hours, so that each is added up once and outlives its measurements."""

    def __init__(self, context: Context) -> None:
        self._context, self._records = context, context.records

    def read(self, tenant: str, span: Span, allowance: Allowance) -> tuple[StreamHour, ...]:
        """Every hour of the span, oldest first; the first and last may be parts. Newest hours are added up first."""
        first = hour_of(span.start)
        kept = self._records.usage.read(tenant, span.scope, span.host, first, ceil(span.end))
        found: list[StreamHour] = []
        for hour in reversed(range(first, ceil(span.end), HOUR_S)):
            whole = span.start <= hour and hour + HOUR_S <= span.end
            one = kept[hour] if whole and hour in kept else self._added_up(tenant, span, hour, allowance, whole=whole)
            if one is not None:
                found.append(one)
        return tuple(reversed(found))

    def _added_up(self, tenant: str, span: Span, hour: int, allowance: Allowance, *, whole: bool) -> StreamHour | None:
        """None when the measurements are gone (not measured any more, which is not zero), or when it must wait."""
        now = self._context.clock.now()
        if hour + HOUR_S < now - RETENTION_SECONDS or not allowance.take():
            return None
        low, high = max(span.start, hour), min(span.end, hour + HOUR_S)
        counts, samples = self._records.measurements.read(
            tenant, span.scope, span.host, int(low * 1e9), int(high * 1e9)
        )
        made = roll(
            span.scope,
            span.host,
            hour,
            counts,
            samples,
            kept=span.stream,
            reference=span.reference,
            interval_s=span.interval_s,
        )
        if whole and hour + HOUR_S + CLOSED_AFTER_S <= now:
            self._records.usage.keep(tenant, made)
        return made
