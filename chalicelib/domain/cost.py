"""Cost: what a number of active series costs a month under a price book. Arithmetic and its assumptions, in words.

No price is written here (pricebooks.py holds them) and nothing is measured here.
"""

from __future__ import annotations

from datetime import date

from pydantic import Field

from chalicelib.domain.model import Value


class PriceBook(Value):
    """What a backend charges. One price, per active series and month; tiers and allotments are not modelled."""

    name: str = Field(max_length=64)
    title: str = Field(max_length=200)
    source: str = Field(max_length=500)
    """Where the price was read."""
    as_of: date
    """When it was read."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    per_series_month: float = Field(gt=0)
    """Price of one active series for a month."""
    example: bool = False
    """True: an invented figure to show the form; nobody's offer."""


class SeriesCost(Value):
    """Monthly cost of each stream, and what the candidate saves against the baseline. Money in `currency`."""

    price_book: PriceBook
    hosts: int
    """Hosts that the figures are for; nothing is projected to other hosts."""
    raw_per_month: float
    baseline_per_month: float
    candidate_per_month: float
    saved_series: float
    """Mean series per scrape that the candidate does not emit and the baseline does, over all the hosts."""
    saved_per_month: float
    saved_low: float | None = None
    """By the interval of the reduction; None while there is none."""
    saved_high: float | None = None
    assumptions: tuple[str, ...]


def series_cost(
    book: PriceBook,
    *,
    hosts: int,
    raw: float,
    baseline: float,
    candidate: float,
    reduction: tuple[float, float] | None = None,
) -> SeriesCost:
    """Cost of the mean series per scrape of each stream, summed over `hosts` hosts.

    reduction: lower and upper bound of 1 - candidate/baseline, if there is an interval.
    """
    price = book.per_series_month
    low, high = (bound * baseline * price for bound in reduction) if reduction else (None, None)
    kind = "an example price, not an offer" if book.example else f"read {book.as_of.isoformat()} from {book.source}"
    return SeriesCost(
        price_book=book,
        hosts=hosts,
        raw_per_month=raw * price,
        baseline_per_month=baseline * price,
        candidate_per_month=candidate * price,
        saved_series=baseline - candidate,
        saved_per_month=(baseline - candidate) * price,
        saved_low=low,
        saved_high=high,
        assumptions=(
            f"{price:g} {book.currency} per active series and month (price book {book.name}: {kind})",
            "active series = mean data points per scrape in the measured window, kept up for a whole month",
            f"for the {hosts} measured host{'' if hosts == 1 else 's'} only",
            "no tiers, free allotments, taxes, or charges for series that live for a short time",
        ),
    )
