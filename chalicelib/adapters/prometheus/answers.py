"""What a Prometheus answers, read without trust: a server, or whoever stands in its place, may say anything.

Each function gives values of exactly the asked shape or raises Unavailable: an answer that cannot be right is no
measurement. What it says is shown bounded and printable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from chalicelib.domain.errors import Unavailable

MAX_COUNT = 100_000_000
"""Samples in one window. More is no count of a host's series."""
Series = tuple[Mapping[str, str], list[tuple[int, int]]]
"""Labels, and (milliseconds, count) in order of time."""
_SHOWN = 200


def data_of(body: bytes) -> Any:
    """`data` of a successful answer. Warnings mean that it may be incomplete (Thanos: a store is away): refused."""
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"Prometheus' answer is not JSON{said(body)}") from error
    if not isinstance(document, dict) or document.get("status") != "success":
        raise Unavailable(f"Prometheus' answer is none of its API{said(body)}")
    if document.get("warnings"):
        raise Unavailable(f"Prometheus' answer may be incomplete: {shown(str(document['warnings'])[:1000])}")
    return document.get("data")


def scalar_of(data: Any) -> float:
    """The one value of an instant query whose answer is a vector of one element without labels."""
    series = next(iter(_result(data, "vector", 1)), {})
    metric, value = series.get("metric"), series.get("value")
    if metric != {} or not isinstance(value, list) or len(value) != 2:
        raise _unusable("not one value")
    return _number(value[1])


def matrix_of(data: Any, labels: frozenset[str], most: int) -> Iterator[Series]:
    """Each series once, with the asked labels and no others; a label that a series lacks is empty, as in PromQL."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for series in _result(data, "matrix", most):
        metric, values = series.get("metric"), series.get("values")
        if not isinstance(metric, dict) or not set(metric) <= labels or not isinstance(values, list):
            raise _unusable("a series with other labels than asked for")
        if not all(isinstance(value, str) and len(value) <= 4096 for value in metric.values()):
            raise _unusable("a label that is no text")
        key = tuple(sorted(metric.items()))
        if key in seen:
            raise _unusable("a series twice")
        seen.add(key)
        yield {name: metric.get(name, "") for name in labels}, _points(values)


def said(body: bytes) -> str:
    """What an answer says about itself, for messages: ": bad_data: …", or "" when it says nothing readable."""
    words = ""
    try:
        document = json.loads(body[:65536])
        if isinstance(document, dict):
            words = ": ".join(str(document[key]) for key in ("errorType", "error") if document.get(key))
    except (ValueError, RecursionError):
        words = body[:_SHOWN].decode("utf-8", "replace")
    return f": {shown(words)}" if words.strip() else ""


def shown(text: str) -> str:
    """Bounded, printable, on one line."""
    return "".join(c if c.isprintable() else " " for c in text[:_SHOWN]).strip()


def _result(data: Any, kind: str, most: int) -> list[dict[str, Any]]:
    if not isinstance(data, dict) or data.get("resultType") != kind or not isinstance(data.get("result"), list):
        raise _unusable(f"no {kind}")
    result: list[Any] = data["result"]
    if len(result) > most:
        raise _unusable(f"{len(result)} series where {most} are possible")
    if not all(isinstance(series, dict) for series in result):
        raise _unusable("a series that is no object")
    return result


def _points(values: list[Any]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for point in values:
        if not isinstance(point, list) or len(point) != 2 or isinstance(point[0], bool):
            raise _unusable("a point that is no pair")
        if not isinstance(point[0], int | float) or not 0 <= point[0] < 1e11:
            raise _unusable("a point without a time")
        at = round(point[0] * 1000)
        if out and at <= out[-1][0]:
            raise _unusable("points out of order")
        out.append((at, _count(point[1])))
    return out


def _count(text: Any) -> int:
    number = _number(text)
    if number != int(number) or not 0 <= number <= MAX_COUNT:
        raise _unusable("a value that is no count")
    return int(number)


def _number(text: Any) -> float:
    if not isinstance(text, str) or len(text) > 40:
        raise _unusable("a value that is no text")
    try:
        number = float(text)
    except ValueError as error:
        raise _unusable("a value that is no number") from error
    if not isfinite(number):
        raise _unusable("a value that is not finite")
    return number


def _unusable(why: str) -> Unavailable:
    return Unavailable(f"Prometheus' answer does not fit the question: {why}")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
