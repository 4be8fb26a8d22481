"""What an evaluation's streams cost a month: raw, baseline, candidate, and what the candidate saves."""

from __future__ import annotations

from chalicelib.domain.cost.bill import bill, unpriced, usage
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.model import Value

DEFAULT_INTERVAL_S = 15.0


class SeriesCost(Value):
    """Monthly cost of each stream, and what the candidate saves against the baseline. Money in the book's currency."""

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
    interval_s: float = DEFAULT_INTERVAL_S,
    reduction: tuple[float, float] | None = None,
) -> SeriesCost:
    """Cost of the mean series per scrape of each stream, summed over `hosts` hosts, scraped every interval_s seconds.

    reduction: lower and upper bound of 1 - candidate/baseline, if there is an interval. Raises InvalidInput for a book
    that cannot price series alone (`priceable`).
    """

    def money(series: float) -> float:
        return monthly(book, series, hosts, interval_s)

    whole = money(baseline)
    low, high = (whole - money(baseline * (1 - bound)) for bound in reduction) if reduction else (None, None)
    return SeriesCost(
        price_book=book,
        hosts=hosts,
        raw_per_month=money(raw),
        baseline_per_month=whole,
        candidate_per_month=money(candidate),
        saved_series=baseline - candidate,
        saved_per_month=whole - money(candidate),
        saved_low=low,
        saved_high=high,
        assumptions=(
            f"{book.headline()} (price book {book.name}: {book.origin()})",
            "active series = mean data points per scrape in the measured window, kept up for a whole month",
            f"for the {hosts} measured host{'' if hosts == 1 else 's'} only; included amounts count for them alone",
            "no taxes, discounts, or charges for series that live for a short time",
            *book.notes,
        ),
    )


def monthly(book: PriceBook, series: float, hosts: int, interval_s: float = DEFAULT_INTERVAL_S) -> float:
    """Money a month for mean series per scrape, summed over `hosts` hosts. Raises InvalidInput like `series_cost`."""
    return bill(book, usage(max(series, 0.0), interval_s, hosts)).per_month


def unpriceable(book: PriceBook) -> str:
    """Why the book cannot price an experiment, which counts series and not bytes; "" when it can."""
    return unpriced(book, usage(1, DEFAULT_INTERVAL_S))
