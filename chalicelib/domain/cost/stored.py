"""What is kept of cost: a tenant's own price book with who made it. No rule."""

from __future__ import annotations

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.model import Value


class OwnPriceBook(Value):
    """A price book and where it comes from; one that comes with Phoenix has no maker."""

    book: PriceBook
    created_at: float | None = None
    created_by: str = ""

    @property
    def own(self) -> bool:
        """Whether a user made it."""
        return self.created_at is not None
