"""What a backend charges: meters, tiers, included amounts, with source and date. No price is written here."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from chalicelib.domain.model import Value

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
"""As everywhere (experiment/spec.py), repeated because the experiment's evaluation already imports this room."""
MAX_CHARGES = 12
MAX_TIERS = 20
LARGEST = 1e15
"""More than any bill holds; keeps sums of products finite."""
Amount = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Above = Annotated[float, Field(ge=1e-6, le=LARGEST, allow_inf_nan=False)]
"""An amount that something is divided by."""
Note = Annotated[str, Field(max_length=500)]


class Meter(StrEnum):
    """What is counted, in a month."""

    SERIES = "series"
    """Active series, the mean over the month."""
    POINTS = "points"
    """Data points (samples) sent."""
    GIGABYTES = "gigabytes"
    """Bytes sent, in 10^9."""
    HOSTS = "hosts"
    CORES = "cores"
    """Processor cores of a backend of one's own, by the book's sizing."""
    STORED_GIGABYTES = "storedGigabytes"
    """Bytes kept on disk, in 10^9, by the book's sizing."""
    MONTHS = "months"
    """A flat fee."""


class Tier(Value):
    """A price that holds up to a quantity of the month."""

    up_to: Above | None = None
    """Where it ends; null for the last tier."""
    price: Amount
    """Money for `per` units."""


class Charge(Value):
    """One line of a price list. Tiers are graduated: each part of the quantity costs what its own tier says."""

    meter: Meter
    per: Above = 1
    """Units that a tier's price is for: 1000 for "per 1,000 series"."""
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=MAX_TIERS)
    included: Amount = 0
    """Units a month that cost nothing."""
    included_per_host: Amount = 0
    """Further units a month that cost nothing, for each host."""
    points_per_minute: Above | None = None
    """Data points a minute that a series may have; more are counted as more series."""

    @model_validator(mode="after")
    def _ascending(self) -> Charge:
        ends = [tier.up_to for tier in self.tiers]
        if ends[-1] is not None or None in ends[:-1]:
            raise ValueError("the last tier, and no other, has no upTo: it holds for whatever is above")
        known = [end for end in ends if end is not None]
        if any(low >= high for low, high in pairwise(known)):
            raise ValueError("tiers must ascend: each upTo above the one before")
        if self.points_per_minute is not None and self.meter is not Meter.SERIES:
            raise ValueError("pointsPerMinute belongs to the meter series")
        return self


class Sizing(Value):
    """How series and points become cores and disk of a backend of one's own."""

    series_per_core: Above | None = None
    """Series in memory that one core serves, replicas counted."""
    points_per_second_per_core: Above | None = None
    """Data points a second that one core takes in."""
    replication: float = Field(default=1, ge=1, le=100)
    bytes_per_point: Above | None = None
    """On disk, after compression."""
    retention_days: Above | None = None

    @property
    def meters(self) -> frozenset[Meter]:
        """What it is complete enough for."""
        cores = {Meter.CORES} if self.series_per_core and self.points_per_second_per_core else set()
        return frozenset(cores | ({Meter.STORED_GIGABYTES} if self.bytes_per_point and self.retention_days else set()))


class PriceBook(Value):
    """What a backend charges. A book without charges stands for prices that are not public."""

    name: str = Field(max_length=64, pattern=NAME)
    title: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=500)
    """Where the prices were read: page title and address."""
    as_of: date
    """When they were read."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    charges: tuple[Charge, ...] = Field(default=(), max_length=MAX_CHARGES)
    sizing: Sizing | None = None
    """Needed for the meters cores and storedGigabytes."""
    notes: tuple[Note, ...] = Field(default=(), max_length=20)
    """What the figures leave out or assume."""
    example: bool = False
    """True: an invented figure to show the form; nobody's offer."""

    @model_validator(mode="after")
    def _sized(self) -> PriceBook:
        needed = {Meter.CORES, Meter.STORED_GIGABYTES} & self.meters
        missing = needed - (self.sizing.meters if self.sizing else frozenset())
        if Meter.CORES in missing:
            raise ValueError("the meter cores needs sizing.seriesPerCore and sizing.pointsPerSecondPerCore")
        if missing:
            raise ValueError("the meter storedGigabytes needs sizing.bytesPerPoint and sizing.retentionDays")
        return self

    @property
    def meters(self) -> frozenset[Meter]:
        """Everything that it charges for."""
        return frozenset(charge.meter for charge in self.charges)

    @property
    def public(self) -> bool:
        """Whether it has any price."""
        return bool(self.charges)

    def origin(self) -> str:
        """Where the figures come from, for people."""
        return "an example price, not an offer" if self.example else f"read {self.as_of.isoformat()}: {self.source}"

    def headline(self) -> str:
        """The price that matters most, in short: "0.06 USD a series"."""
        if not self.charges:
            return "not public"
        charge = max(self.charges, key=lambda one: one.meter in (Meter.SERIES, Meter.POINTS, Meter.GIGABYTES))
        paid = next((tier.price for tier in charge.tiers if tier.price > 0), 0.0)
        units = "a " + _ONE[charge.meter] if charge.per == 1 else f"per {charge.per:,.0f} {_MANY[charge.meter]}"
        tiers = ", tiered" if len(charge.tiers) > 1 else ""
        return f"{paid:g} {self.currency} {units}{tiers}"


_ONE = {
    Meter.SERIES: "series",
    Meter.POINTS: "data point",
    Meter.GIGABYTES: "GB",
    Meter.HOSTS: "host",
    Meter.CORES: "core",
    Meter.STORED_GIGABYTES: "GB stored",
    Meter.MONTHS: "month",
}
_MANY = {meter: word if word.endswith(("series", "GB", "stored")) else word + "s" for meter, word in _ONE.items()}
