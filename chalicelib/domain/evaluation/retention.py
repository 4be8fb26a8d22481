"""Critical retention: an invariant. Which critical processes raw had and an arm had not, and when that is a breach.

Only complete scrapes count: an arm that did not report at all was not measured, and missed nothing.

Processes are followed as (pattern, name) on a host, with their pids. A miss is confirmed, and then a breach, when it
occurs in two complete scrapes in a row, or in three altogether. In shared mode raw and both arms come from the same
scrape, so that no process can die between two reads; the second scrape is there so that one broken delivery never
decides. Misses are joined by name rather than by pid because a critical process that restarts at every scrape would
otherwise never be missed twice; three misses altogether stop a candidate that drops a process every other scrape.

A single miss is recorded, and while it is in a host's newest scrape nothing is promoted. A breach of the baseline is
reported, and is no mark against the candidate: nothing gets worse by a promotion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from chalicelib.domain.evaluation.result import CriticalReport, Miss, PatternRetention, ProcessRetention
from chalicelib.domain.evaluation.scrapes import HostScrapes, Scrape
from chalicelib.domain.measurement import CriticalProcess, Variant

MAX_PROCESSES, MAX_UNCONFIRMED, MAX_PIDS, MAX_TIMES = 200, 50, 20, 10
IN_A_ROW, ALTOGETHER = 2, 3
_ARMS = (Variant.BASELINE, Variant.CANDIDATE)
_Seen = Mapping[Variant, Counter[tuple[str, CriticalProcess]]]


def critical_report(
    patterns: Sequence[str], hosts: Iterable[HostScrapes], arms: Sequence[Variant] = _ARMS
) -> CriticalReport:
    """Retention per pattern and process, and the misses. patterns: ids, in the order to report them. arms: those that
    these hosts run."""
    seen: dict[Variant, Counter[tuple[str, CriticalProcess]]] = {v: Counter() for v in (Variant.RAW, *arms)}
    misses: list[Miss] = []
    for host in hosts:
        scrapes = host.complete
        _count(host.host, scrapes, seen)
        misses += [miss for variant in arms for miss in _misses(host.host, scrapes, variant)]
    confirmed = [miss for miss in misses if miss.confirmed]
    rows = _processes(seen)
    return CriticalReport(
        patterns=tuple(_pattern(pattern, seen) for pattern in patterns),
        processes=rows[:MAX_PROCESSES],
        processes_total=len(rows),
        breaches=tuple(miss for miss in confirmed if miss.variant is Variant.CANDIDATE)[:MAX_UNCONFIRMED],
        baseline_breaches=tuple(miss for miss in confirmed if miss.variant is Variant.BASELINE)[:MAX_UNCONFIRMED],
        unconfirmed=tuple(sorted((m for m in misses if not m.confirmed), key=_urgency)[:MAX_UNCONFIRMED]),
    )


def _urgency(miss: Miss) -> tuple[bool, int]:
    return not miss.pending, -miss.at_ns[-1]


def _count(host: str, scrapes: Iterable[Scrape], seen: _Seen) -> None:
    # Scrapes that show the same processes are many: each set is counted once, times how often it came.
    same = Counter(tuple(scrape.readings[variant].critical for variant in seen) for scrape in scrapes)
    for sets, times in same.items():
        for counter, shown in zip(seen.values(), sets, strict=True):
            for process in shown & sets[0]:
                counter[host, process] += times


def _misses(host: str, scrapes: Sequence[Scrape], variant: Variant) -> list[Miss]:
    found: dict[tuple[str, str], dict[int, set[int]]] = {}
    for i, scrape in enumerate(scrapes):
        raw, kept = scrape.readings[Variant.RAW].critical, scrape.readings[variant].critical
        if raw is kept:
            continue
        for lost in raw - kept:
            found.setdefault((lost.pattern, lost.name), {}).setdefault(i, set()).add(lost.pid)
    return [
        _miss(host, variant, pattern, name, pids, scrapes) for (pattern, name), pids in sorted(found.items())
    ]  # fmt: skip


def _miss(
    host: str, variant: Variant, pattern: str, name: str, pids: Mapping[int, set[int]], scrapes: Sequence[Scrape]
) -> Miss:
    where = sorted(pids)
    row = next((i for i, (one, two) in enumerate(pairwise(where)) if two == one + 1), None)
    confirmed = row is not None or len(where) >= ALTOGETHER
    shown = where[row or 0 :][:MAX_TIMES]
    return Miss(
        variant=variant,
        host=host,
        pattern=pattern,
        name=name,
        pids=tuple(sorted(set().union(*pids.values())))[:MAX_PIDS],
        at_ns=tuple(scrapes[i].at_ns for i in shown),
        scrapes=len(where),
        confirmed=confirmed,
        pending=not confirmed and where[-1] == len(scrapes) - 1,
    )


def _pattern(pattern: str, seen: _Seen) -> PatternRetention:
    totals = dict.fromkeys(_ARMS, 0) | {
        variant: sum(count for (_, process), count in counter.items() if process.pattern == pattern)
        for variant, counter in seen.items()
    }
    raw = totals[Variant.RAW]
    return PatternRetention(
        pattern=pattern,
        processes=sum(process.pattern == pattern for _, process in seen[Variant.RAW]),
        raw=raw,
        baseline=totals[Variant.BASELINE],
        candidate=totals[Variant.CANDIDATE],
        baseline_retention=totals[Variant.BASELINE] / raw if raw else None,
        candidate_retention=totals[Variant.CANDIDATE] / raw if raw else None,
    )


def _processes(seen: _Seen) -> tuple[ProcessRetention, ...]:
    none: Counter[tuple[str, CriticalProcess]] = Counter()
    baseline, candidate = seen.get(Variant.BASELINE, none), seen.get(Variant.CANDIDATE, none)
    rows = [
        ProcessRetention(
            host=host,
            pattern=process.pattern,
            name=process.name,
            pid=process.pid,
            raw=raw,
            baseline=baseline[host, process],
            candidate=candidate[host, process],
            baseline_retention=baseline[host, process] / raw if Variant.BASELINE in seen else None,
            candidate_retention=candidate[host, process] / raw,
        )
        for (host, process), raw in seen[Variant.RAW].items()
    ]
    return tuple(
        sorted(
            rows, key=lambda r: (r.candidate_retention, r.baseline_retention or 0.0, r.pattern, r.host, r.name, r.pid)
        )
    )
