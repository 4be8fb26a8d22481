"""Quantities as people write them ("15s", "50%", "150MiB") turned into numbers, and back. Nothing else.

Durations are seconds, ratios fractions of one, sizes bytes. Numbers are taken as they are (already in that unit).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_DURATION = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "kB": 1000, "MB": 10**6, "GB": 10**9}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(value: Any) -> Any:
    """Seconds of "15s", "1m30s", "500ms", or of a bare number. Raises ValueError with the form that is right."""
    if isinstance(value, bool) or not isinstance(value, str):
        return value
    text = value.strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"{value!r} is not a duration; write a number and a unit (ms, s, m, h, d), such as 15s or 1m30s"
        )
    return sum(float(number) * _DURATION[unit] for number, unit in parts)


def parse_ratio(value: Any) -> Any:
    """Fraction of one of "50%", or of a bare number (0.5). A bare number above 1 is refused: it is ambiguous."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value)
        if not match:
            raise ValueError(f"{value!r} is not a share; write a percentage such as 50%, or a number from 0 to 1")
        return float(match.group(1)) / 100.0
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 1:
        raise ValueError(f"{value!r} is not a share from 0 to 1; for per cent write '{value}%'")
    return value


def parse_bytes(value: Any) -> Any:
    """Bytes of "150MiB", "1GB", or of a bare number."""
    if isinstance(value, bool) or not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|kB|MB|GB)\s*", value)
    if not match:
        raise ValueError(f"{value!r} is not a size; write a number and a unit (KiB, MiB, GiB), such as 150MiB")
    return int(float(match.group(1)) * _BYTES[match.group(2)])


def show_duration(seconds: float) -> str:
    """The shortest exact form: 90 -> "1m30s", 0.5 -> "500ms", 0 -> "0s"."""
    left = round(seconds * 1000)
    out = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        out += f"{count}{unit}" if count else ""
    return out or "0s"


Seconds = Annotated[float, BeforeValidator(parse_duration)]
Ratio = Annotated[float, BeforeValidator(parse_ratio)]
Bytes = Annotated[int, BeforeValidator(parse_bytes)]
