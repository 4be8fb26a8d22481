"""What one pipeline made of a recording, in figures. Counted by a replay through the real collector, never estimated.

A figure of points or bytes is per scrape of the one recorded host unless it says otherwise.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.domain.cost.bill import bill, unpriced, usage
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.critical import MAX_PATTERNS
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.metadata import NAME, ParameterValue

MAX_NAMES = 20
"""Names that are told in a list; their number is told in full."""
MAX_MISSED = 20
MAX_PATTERN_ID = 64
_COUNT = 2**53


class Amount(Value):
    """A figure over the scrapes of the recording; a scrape of which nothing is left counts as 0."""

    mean: float = Field(ge=0, le=_COUNT)
    most: float = Field(ge=0, le=_COUNT)


def amount(values: list[int]) -> Amount:
    """Mean and largest of one value a scrape; at least one scrape is needed."""
    return Amount(mean=sum(values) / len(values), most=max(values))


class PatternKept(Value):
    """One critical pattern. Counts are process-scrapes: one process in one scrape, the first included."""

    pattern: str = Field(max_length=MAX_PATTERN_ID)
    processes: int = Field(ge=0, le=_COUNT)
    """Different processes that matched; 0: the pattern matched nothing, and nothing is known about it."""
    seen: int = Field(ge=0, le=_COUNT)
    kept: int = Field(ge=0, le=_COUNT)
    hidden: int = Field(default=0, ge=0, le=_COUNT)
    """Different processes that do not match as recorded, but whose attribute was redacted: they might have."""

    @property
    def whole(self) -> bool:
        """Whether every one that was seen was kept, and at least one was seen."""
        return self.seen > 0 and self.kept == self.seen


class MissedProcess(Value):
    """A critical process of one scrape that the pipeline did not send."""

    scrape: int
    """From 0."""
    at_ns: int
    """Time of the scrape, by the recorded host's clock."""
    pattern: str
    name: str
    pid: int


class NameEffect(Value):
    """Series of one executable name per scrape, on average, before and after."""

    name: str
    before: float
    after: float


class Names(Value):
    """Where a reduction comes from. most: the names that lose most series, at most 20, first of all the largest.
    gone: names of which no scrape has anything left, at most 20 of `gone_total`."""

    most: tuple[NameEffect, ...] = ()
    gone: tuple[str, ...] = ()
    gone_total: int = 0


class PipelineFigures(Value):
    """A pipeline on the recording. Bytes are of OTLP requests as the exporter sent them."""

    pipeline: str = Field(pattern=NAME)
    version: str = Field(max_length=64)
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    series: Amount
    """Data points of a scrape = active series."""
    different_series: int = Field(ge=0, le=_COUNT)
    """Over the whole recording: what a backend has to index."""
    points: int = Field(ge=0, le=_COUNT)
    """Over the whole recording."""
    bytes: Amount
    """Before compression."""
    wire_bytes: Amount
    """On the wire, gzip."""
    per_month: float | None = None
    """Money a month for one such host, in the book's currency; None: the book cannot price it (`unpriced`)."""
    critical: tuple[PatternKept, ...] = Field(default=(), max_length=MAX_PATTERNS)
    notes: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=20)
    """What a replay cannot tell about this pipeline."""

    @property
    def loses_critical(self) -> bool:
        """Whether a critical process that was there was not sent."""
        return any(one.kept < one.seen for one in self.critical)

    @property
    def keeps_critical(self) -> bool:
        """Whether every pattern was seen and every process of it kept in every scrape."""
        return bool(self.critical) and all(one.whole for one in self.critical)


def per_month(book: PriceBook, series: float, interval_s: float, bytes_per_point: float | None) -> float | None:
    """A month of so many series from one host; included amounts are taken as used up by what else the account sends, as
    one host's series would else mostly cost nothing. None where the book cannot price it."""
    used = usage(series, interval_s, 1, bytes_per_point)
    return None if unpriced(book, used) else bill(book, used, "used").per_month


def names_of(before: dict[str, int], after: dict[str, int], scrapes: int) -> Names:
    """before, after: points by name, summed over the scrapes. Names are in order of what they lose, then by name."""
    lost = [(before[name] - after.get(name, 0), name) for name in before]
    most = sorted(((less, name) for less, name in lost if less > 0), key=lambda one: (-one[0], one[1]))
    gone = [name for _, name in most if not after.get(name)]
    return Names(
        most=tuple(
            NameEffect(name=name, before=before[name] / scrapes, after=after.get(name, 0) / scrapes)
            for _, name in most[:MAX_NAMES]
        ),
        gone=tuple(gone[:MAX_NAMES]),
        gone_total=len(gone),
    )
