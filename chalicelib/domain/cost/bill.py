"""A month's bill: usage under a price book, line by line, and how a bill is shared among those who caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from chalicelib.domain.cost.price_book import Charge, Meter, PriceBook, Sizing
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.model import Value

MONTH_S = 730 * 3600.0
"""Seconds of a month as the clouds bill it: 730 hours."""

Allotments = Literal["applied", "used"]
"""Whether included amounts are still free for what Phoenix measures, or used up by what else the account sends."""


class Usage(Value):
    """What is sent in a month, if it goes on as measured. Additive over hosts."""

    hosts: float = Field(default=0, ge=0)
    series: float = Field(ge=0)
    """Mean data points per scrape, summed over the hosts = active series."""
    points: float = Field(ge=0)
    """Data points a month."""
    gigabytes: float | None = Field(default=None, ge=0)
    """10^9 bytes a month; None: not measured."""


class Line(Value):
    """One charge of a bill."""

    meter: Meter
    quantity: float
    included: float
    """Units of it that cost nothing."""
    amount: float


class Bill(Value):
    """Money a month in the book's currency, and what it is made of."""

    per_month: float
    lines: tuple[Line, ...]


def usage(
    series: float, interval_s: float, hosts: float = 1, bytes_per_point: float | None = None, *, months: float = 1
) -> Usage:
    """Usage of `series` data points per scrape, every interval_s seconds, kept up for a month."""
    points = series * MONTH_S / interval_s * months
    size = None if bytes_per_point is None else points * bytes_per_point / 1e9
    return Usage(hosts=hosts, series=series, points=points, gigabytes=size)


def total(parts: Mapping[str, Usage]) -> Usage:
    """All parts together; gigabytes only when every part has them."""
    sizes = [part.gigabytes for part in parts.values()]
    return Usage(
        hosts=sum(part.hosts for part in parts.values()),
        series=sum(part.series for part in parts.values()),
        points=sum(part.points for part in parts.values()),
        gigabytes=None if any(size is None for size in sizes) else sum(size or 0.0 for size in sizes),
    )


def unpriced(book: PriceBook, used: Usage) -> str:
    """Why the book gives no figure for this usage; "" when it does."""
    if not book.public:
        return f"the prices of {book.title} are not public: make a price book from your contract"
    if Meter.GIGABYTES in book.meters and used.gigabytes is None:
        return f"price book {book.name} charges by the gigabyte, and bytes per data point were not measured"
    return ""


def bill(book: PriceBook, used: Usage, allotments: Allotments = "applied") -> Bill:
    """The month's bill. Raises InvalidInput where `unpriced` gives a reason."""
    if reason := unpriced(book, used):
        raise InvalidInput(reason, problems=(Problem("/priceBook", reason),))
    lines = tuple(_line(book, charge, used, allotments) for charge in book.charges)
    return Bill(per_month=sum(line.amount for line in lines), lines=lines)


def shares(book: PriceBook, parts: Mapping[str, Usage], allotments: Allotments = "applied") -> dict[str, float]:
    """Each part's share of the bill of all together: every charge is divided by the quantity that each part has of it.
    A charge of which nobody has any (a flat fee) is divided equally. Raises InvalidInput as `bill` does."""
    if not parts:
        return {}
    made = bill(book, total(parts), allotments)
    owed = dict.fromkeys(parts, 0.0)
    for charge, line in zip(book.charges, made.lines, strict=True):
        own = {name: _quantity(book, charge, part) for name, part in parts.items()}
        if charge.meter is Meter.MONTHS or not sum(own.values()):
            own = dict.fromkeys(parts, 1.0)
        whole = sum(own.values())
        for name, quantity in own.items():
            owed[name] += line.amount * quantity / whole
    return owed


_FIXED = frozenset({Meter.HOSTS, Meter.MONTHS})


def caused(
    book: PriceBook, parts: Mapping[str, Usage], hosts: float, allotments: Allotments = "applied"
) -> tuple[dict[str, float], float]:
    """What each part causes on `hosts` hosts that share all parts (process names), and the fees that none of them
    causes: for hosts and months. Raises InvalidInput as `bill` does."""
    whole = total(parts).model_copy(update={"hosts": hosts})
    made = bill(book, whole, allotments)
    owed = dict.fromkeys(parts, 0.0)
    fixed = 0.0
    for charge, line in zip(book.charges, made.lines, strict=True):
        own = {name: _quantity(book, charge, part) for name, part in parts.items()}
        quantity = sum(own.values())
        if charge.meter in _FIXED or not quantity:
            fixed += line.amount
            continue
        for name, one in own.items():
            owed[name] += line.amount * one / quantity
    return owed, fixed


def _line(book: PriceBook, charge: Charge, used: Usage, allotments: Allotments) -> Line:
    quantity = _quantity(book, charge, used)
    free = charge.included + charge.included_per_host * used.hosts if allotments == "applied" else 0.0
    free = min(free, quantity)
    return Line(meter=charge.meter, quantity=quantity, included=free, amount=_graduated(charge, free, quantity))


def _graduated(charge: Charge, free: float, quantity: float) -> float:
    """Price of what lies between `free` and `quantity`, tier by tier."""
    amount, low = 0.0, 0.0
    for tier in charge.tiers:
        high = quantity if tier.up_to is None else min(quantity, tier.up_to)
        amount += max(0.0, high - max(low, free)) / charge.per * tier.price
        low = high
    return amount


def _quantity(book: PriceBook, charge: Charge, used: Usage) -> float:
    per_second = used.points / MONTH_S
    if charge.meter is Meter.SERIES:
        extra = per_second * 60 / charge.points_per_minute if charge.points_per_minute else 0.0
        return max(used.series, extra)
    sizing = book.sizing or Sizing()
    cores = _ratio(used.series * sizing.replication, sizing.series_per_core)
    kept_s = 86400 * (sizing.retention_days or 0.0)
    found = {
        Meter.POINTS: used.points,
        Meter.GIGABYTES: used.gigabytes or 0.0,
        Meter.HOSTS: used.hosts,
        Meter.CORES: cores + _ratio(per_second, sizing.points_per_second_per_core),
        Meter.STORED_GIGABYTES: per_second * kept_s * (sizing.bytes_per_point or 0.0) * sizing.replication / 1e9,
        Meter.MONTHS: 1.0,
    }
    return found[charge.meter]


def _ratio(amount: float, per: float | None) -> float:
    return amount / per if per else 0.0
