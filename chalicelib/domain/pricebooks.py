"""Price books that come with Phoenix: data with source and date. How they are applied is in cost.py."""

from __future__ import annotations

from datetime import date

from chalicelib.domain.cost import PriceBook
from chalicelib.domain.errors import InvalidInput, Problem

PRICE_BOOKS = {
    book.name: book
    for book in (
        PriceBook(
            name="example-2026",
            title="Example: a flat price per active series",
            source="invented for examples; take the price of your own contract",
            as_of=date(2026, 1, 1),
            currency="USD",
            per_series_month=0.06,
            example=True,
        ),
    )
}


def price_book(name: str) -> PriceBook:
    """The book of that name. Raises InvalidInput, naming those that exist."""
    if book := PRICE_BOOKS.get(name):
        return book
    problem = Problem("/spec/priceBook", "unknown price book", f"one of: {', '.join(sorted(PRICE_BOOKS))}")
    raise InvalidInput(f"there is no price book {name!r}", problems=(problem,))
