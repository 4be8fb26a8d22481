"""The price books that come with Phoenix, by name. Their figures are data: `cost/listed.py`."""

from __future__ import annotations

from chalicelib.domain.cost.listed import LISTED
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.errors import InvalidInput, Problem

PRICE_BOOKS = {book.name: book for book in LISTED}


def price_book(name: str) -> PriceBook:
    """The book of that name. Raises InvalidInput, naming those that exist."""
    if book := PRICE_BOOKS.get(name):
        return book
    problem = Problem("/spec/priceBook", "unknown price book", f"one of: {', '.join(sorted(PRICE_BOOKS))}")
    raise InvalidInput(f"there is no price book {name!r}", problems=(problem,))
