"""Cost: price books, bills, projections, savings. Arithmetic and its assumptions, in words; nothing is measured here.

price_book.py says what a backend charges, listed.py has the books that come with Phoenix, bill.py applies one to usage,
series.py gives an evaluation its cost, projection.py goes from measured hosts to a fleet, report.py puts a report
together. The three names that other rooms use stand here.
"""

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.cost.series import SeriesCost, series_cost

__all__ = ["PriceBook", "SeriesCost", "series_cost"]
