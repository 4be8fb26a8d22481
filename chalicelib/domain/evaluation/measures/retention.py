"""Critical retention: an invariant. Which critical processes raw had and an arm had not, and when that is a breach.

Only complete scrapes count: an arm that did not report at all was not measured, and missed nothing.

Processes are followed as (pattern, name) on a host, with their pids. A miss is confirmed, and then a breach, when it
occurs in two complete scrapes in a row, or in three altogether. In shared mode raw and both arms come from the same
scrape, so that no process can die between two reads; the second scrape is there so that one broken delivery never
decides. Misses are joined by name rather than by pid because a critical process that restarts at every scrape would
otherwise never be missed twice; three misses altogether stop a candidate that drops a process every other scrape.

A single miss is recorded, and while it is in a host's newest scrape nothing is promoted. A breach of the baseline is
reported, and is no mark against the candidate: nothing gets worse by a promotion.

In dedicated mode each arm is held to what its own collector scraped: a process that lives between two scrapes of
different collectors is in one raw stream and not in the other, and nobody missed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from chalicelib.domain.evaluation.result.result import CriticalReport, Miss
from chalicelib.domain.evaluation.result.retained import PatternRetention, ProcessRetention
from chalicelib.domain.evaluation.scrapes.numbering import Scrape
from chalicelib.domain.evaluation.scrapes.scrapes import HostScrapes
from chalicelib.domain.measurement import CriticalProcess, Variant

MAX_PROCESSES, MAX_UNCONFIRMED, MAX_PIDS, MAX_TIMES = 200, 50, 20, 10
IN_A_ROW, ALTOGETHER = 2, 3
_ARMS = (Variant.BASELINE, Variant.CANDIDATE)
_OWN_RAW = Variant.CANDIDATE_RAW
_Seen = Mapping[Variant, Counter[tuple[str, CriticalProcess]]]
"""By stream and process, in how many scrapes. An arm counts what its own raw stream had too."""


def critical_report(
    patterns: Sequence[str], hosts: Iterable[HostScrapes], arms: Sequence[Variant] = _ARMS
) -> CriticalReport:
    """Retention per pattern and process, and the misses. patterns: ids, in the order to report them. arms: those that
    these hosts run."""
    hosts = list(hosts)
    streams = (Variant.RAW, *arms, *({_OWN_RAW} & {stream for host in hosts for stream in host.streams}))
    seen: dict[Variant, Counter[tuple[str, CriticalProcess]]] = {v: Counter() for v in streams}
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
    raw_of = dict.fromkeys(seen, Variant.RAW) | {v: _OWN_RAW for v in (Variant.CANDIDATE, _OWN_RAW) if _OWN_RAW in seen}
    for sets, times in same.items():
        shown = dict(zip(seen, sets, strict=True))
        for variant, counter in seen.items():
            for process in shown[variant] & shown[raw_of[variant]]:
                counter[host, process] += times


def _misses(host: str, scrapes: Sequence[Scrape], variant: Variant) -> list[Miss]:
    found: dict[tuple[str, str], dict[int, set[int]]] = {}
    for i, scrape in enumerate(scrapes):
        raw, kept = scrape.raw_of(variant).critical, scrape.readings[variant].critical
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
    raw, own = totals[Variant.RAW], totals.get(_OWN_RAW)
    due = raw if own is None else own
    return PatternRetention(
        pattern=pattern,
        processes=sum(process.pattern == pattern for _, process in _every(seen)),
        raw=raw,
        candidate_raw=own,
        baseline=totals[Variant.BASELINE],
        candidate=totals[Variant.CANDIDATE],
        baseline_retention=totals[Variant.BASELINE] / raw if raw else None,
        candidate_retention=totals[Variant.CANDIDATE] / due if due else None,
    )


def _every(seen: _Seen) -> set[tuple[str, CriticalProcess]]:
    """The processes that any raw stream had."""
    return {*seen[Variant.RAW], *seen.get(_OWN_RAW, ())}


def _processes(seen: _Seen) -> tuple[ProcessRetention, ...]:
    rows = [_process(seen, key) for key in _every(seen)]

    def order(row: ProcessRetention) -> tuple[float, float, str, str, str, int]:
        worst = (row.candidate_retention, row.baseline_retention)
        candidate, baseline = (1.0 if share is None else share for share in worst)
        return candidate, baseline, row.pattern, row.host, row.name, row.pid

    return tuple(sorted(rows, key=order))


def _process(seen: _Seen, key: tuple[str, CriticalProcess]) -> ProcessRetention:
    host, process = key
    raw, own = seen[Variant.RAW][key], seen[_OWN_RAW][key] if _OWN_RAW in seen else None
    due = raw if own is None else own
    baseline, candidate = (seen[arm][key] if arm in seen else 0 for arm in _ARMS)
    return ProcessRetention(
        host=host,
        pattern=process.pattern,
        name=process.name,
        pid=process.pid,
        raw=raw,
        candidate_raw=own,
        baseline=baseline,
        candidate=candidate,
        baseline_retention=baseline / raw if raw and Variant.BASELINE in seen else None,
        candidate_retention=candidate / due if due else None,
    )
