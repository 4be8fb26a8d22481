"""What a plain deployment keeps of the critical processes: raw against its only arm, scrape by scrape. An invariant.

As in retention.py a loss is confirmed by two whole scrapes in a row, or three altogether: one broken delivery decides
nothing. The newest scrape is left out, parts of it may still be on their way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chalicelib.domain.evaluation.measures.retention import ALTOGETHER
from chalicelib.domain.measurement import Count, CriticalProcess, Variant

_SECOND = 1_000_000_000
_STREAMS = (Variant.RAW, Variant.DEPLOYED)
MAX_NAMED = 5


@dataclass(frozen=True)
class Kept:
    """scrapes: whole ones. lost: "name (pattern)" of each critical process whose loss is confirmed, sorted, few."""

    scrapes: int
    lost: tuple[str, ...]


@dataclass
class _Scrape:
    end_ns: int
    critical: dict[Variant, set[CriticalProcess]] = field(default_factory=dict)


def kept(counts: Iterable[Count], interval_s: float) -> Kept:
    """counts: of one host in one deployment's scope, in any order, repeated or not. interval_s: between two scrapes."""
    whole = [scrape for scrape in _scrapes(counts, interval_s)[:-1] if all(v in scrape.critical for v in _STREAMS)]
    missed: dict[tuple[str, str], set[int]] = {}
    for i, scrape in enumerate(whole):
        for one in scrape.critical[Variant.RAW] - scrape.critical[Variant.DEPLOYED]:
            missed.setdefault((one.name, one.pattern), set()).add(i)
    lost = sorted(f"{name!r} ({pattern})" for (name, pattern), where in missed.items() if _confirmed(where))
    return Kept(len(whole), tuple(lost[:MAX_NAMED]))


def _scrapes(counts: Iterable[Count], interval_s: float) -> Sequence[_Scrape]:
    """Parts whose newest points lie within half an interval of the scrape's first part are one scrape."""
    found: list[_Scrape] = []
    half = interval_s * _SECOND / 2
    for count in sorted(counts, key=lambda c: c.end_ns):
        if not found or count.end_ns - found[-1].end_ns > half:
            found.append(_Scrape(count.end_ns))
        found[-1].critical.setdefault(count.variant, set()).update(count.critical)
    return found


def _confirmed(where: set[int]) -> bool:
    return len(where) >= ALTOGETHER or any(two == one + 1 for one, two in pairwise(sorted(where)))
