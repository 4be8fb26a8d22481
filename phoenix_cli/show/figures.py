"""How one figure is written: shares, counts, sizes, money, durations, times, names. No figure is computed here.

Strings from hosts pass `clean` before they are shown: characters that do not print (escape sequences, direction marks)
become "?", and long ones are cut.
"""

from __future__ import annotations

from datetime import UTC, datetime

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_LAST_SECOND = 2.0**37
"""Beyond any calendar; a host may claim any time."""


def clean(text: object, limit: int = 64) -> str:
    """A string of unknown origin on one line, safe in a terminal."""
    shown = "".join(char if char.isprintable() else "?" for char in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def sentence(text: str, limit: int = 2000) -> str:
    """A longer text of unknown origin on one line: whatever does not print becomes a space."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:limit]).split())


def whole(number: float) -> str:
    """ "7,412"."""
    return f"{round(number):,}"


def percent(share: float, digits: int = 1) -> str:
    """ "91.9 %" of 0.919. Far below zero (an interval that says nothing yet) is cut: "under -1,000 %"."""
    if share < -10:
        return "under −1,000 %"
    return f"{share * 100:,.{digits}f} %".replace("-", "−")


def whole_share(kept: int, of: int) -> str:
    """A retention: "100 %" only when it is whole, and never rounded up to it ("99.9 %" of 9 999 in 10 000)."""
    if of == 0:
        return "not measured"
    if kept == of:
        return "100 %"
    return f"{int(kept / of * 1000) / 10:.1f} %"


def interval(low: float, high: float) -> str:
    """ "91.2 … 92.5 %" of two shares."""
    left = percent(low).removesuffix(" %")
    return f"{left} … {percent(high)}"


def size(octets: float) -> str:
    """ "81 MiB"."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if octets >= factor:
            value = octets / factor
            return f"{value:,.0f} {unit}" if value >= 10 else f"{value:,.1f} {unit}"
    return f"{octets:.0f} B"


def money(amount: float, currency: str) -> str:
    """ "$409", and two decimals under ten."""
    digits = 0 if abs(amount) >= 10 else 2
    sign = "−" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    return f"{sign}{symbol}{abs(amount):,.{digits}f}"


def duration(seconds: float) -> str:
    """The two greatest units: "12m", "1m 30s", "2h 5m"; under ten seconds one decimal: "6.2s"."""
    if 0 < seconds < 10 and round(seconds, 1) != round(seconds):
        return f"{seconds:.1f}s"
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit, factor in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, factor)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "0s"


def minutes(seconds: float) -> str:
    """ "10" of 600 seconds, "1.5" of 90: a number to put before "m"."""
    return f"{seconds / 60:.3g}"


def age(then: float | None, now: float | None) -> str:
    """ "12s ago"; without `now` the time itself; "never" for None."""
    if then is None:
        return "never"
    if now is None:
        return day_and_time(then)
    return f"{duration(round(now - then))} ago" if now - then >= 1 else "now"


def day_and_time(seconds: float) -> str:
    """ "2026-11-22 14:02:15 UTC"."""
    if not 0 <= seconds < _LAST_SECOND:
        return f"second {seconds:.0f}"
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def time_of_day(seconds: float) -> str:
    """ "14:02:15", UTC."""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%H:%M:%S}" if 0 <= seconds < _LAST_SECOND else f"{seconds:.0f}"


def plural(count: int, noun: str, many: str = "") -> str:
    """ "1 host", "2 hosts"; many: the plural where it is not the noun and an s."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
