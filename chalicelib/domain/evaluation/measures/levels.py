"""Limits on what was counted and sent: series, points, bytes, cost, coverage, scrape duration. Sums to states.

Those on the collectors themselves are in overhead.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.cost import PriceBook
from chalicelib.domain.cost.series import monthly
from chalicelib.domain.evaluation.interval import MIN_SCRAPES, Batch, cut
from chalicelib.domain.evaluation.plan import Limits
from chalicelib.domain.evaluation.result.result import BytesSent, Evidence, HostCoverage
from chalicelib.domain.evaluation.scrapes.scrapes import HostScrapes
from chalicelib.domain.kpi.judged import Guardrail, Price, judged
from chalicelib.domain.kpi.registry import KpiName
from chalicelib.domain.measurement import Variant

_SECOND = 1_000_000_000
Joined = Sequence[tuple[int, float, float, float]]
"""(slot, raw, baseline, candidate) summed over the hosts that have a complete scrape in the slot."""


def price_of(evidence: Evidence) -> Price | None:
    """What mean series per scrape, over the hosts that were measured, cost a month; None without a price book."""
    book = evidence.price_book
    return None if book is None else _price(book, billed_hosts(evidence))


def billed_hosts(evidence: Evidence) -> int:
    """Hosts that the series are of: those measured, in a canary the candidate's."""
    of = evidence.canary.assignment.of(Variant.CANDIDATE) if evidence.canary else None
    return sum(host.scrapes > 0 for host in evidence.hosts if of is None or host.host in of)


def _price(book: PriceBook, hosts: int) -> Price:
    def price(series: float) -> float:
        return monthly(book, series, hosts)

    return price


def levels(evidence: Evidence, joined: Joined, hosts: Sequence[HostScrapes], sent: BytesSent | None) -> list[Guardrail]:
    """The limits that the spec gives, each with its state. hosts: those that run the candidate."""
    limits = evidence.limits
    return [
        *_counted(evidence, joined, hosts),
        *_bytes(limits, sent),
        *(_coverage(limits.coverage, host.coverage) for host in hosts if limits.coverage is not None),
        *(_duration(limits.scrape_duration, limits, host) for host in hosts if limits.scrape_duration is not None),
    ]


def _counted(evidence: Evidence, joined: Joined, hosts: Sequence[HostScrapes]) -> Iterator[Guardrail]:
    """Of the candidate, all hosts together. A slot in which a host is missing is allowed that much less."""
    limits = evidence.limits
    present: dict[int, int] = {}
    for host in hosts:
        for scrape in host.complete:
            present[scrape.slot] = present.get(scrape.slot, 0) + 1
    shares = [present.get(slot, 0) / len(hosts) for slot, *_ in joined]
    kept = [float(candidate) for *_, candidate in joined]
    a_minute = 60 / limits.interval_s
    forms = ((KpiName.SERIES, limits.series, 1.0), (KpiName.POINTS, limits.points, a_minute))
    for kpi, limit, factor in forms:
        if limit is not None:
            batches = cut([limit * share for share in shares], [amount * factor for amount in kept])
            mean = sum(kept) * factor / sum(shares) if shares else None
            yield judged(
                kpi, "", limit, batches, samples=len(joined), minutes=evidence.minutes, mean=mean
            )  # fmt: skip
    if limits.cost is not None:
        price = price_of(evidence)
        mean = price(sum(kept) / sum(shares)) if shares and price else None
        yield judged(
            KpiName.COST,
            "",
            limits.cost,
            cut(shares, kept),
            samples=len(joined),
            minutes=evidence.minutes,
            mean=mean,
            price=price,
        )


def _bytes(limits: Limits, sent: BytesSent | None) -> Iterator[Guardrail]:
    limit = limits.bytes
    if limit is None:
        return
    if sent is None:
        why = "the exporters of the arms reported no bytes yet"
        yield judged(KpiName.BYTES, "", limit, (), samples=0, minutes=0.0, mean=None, why=why)
        return
    each = sent.minutes / len(sent.batches) if sent.batches else 0.0
    batches = [Batch(scrapes=x.scrapes, a=limit * each, b=x.b) for x in sent.batches]
    mean = sum(b for _, b in sent.hosts) / sent.minutes if sent.minutes else None
    yield judged(KpiName.BYTES, "", limit, batches, samples=sent.samples, minutes=sent.minutes, mean=mean)


def _coverage(limit: float, found: HostCoverage) -> Guardrail:
    batches = (Batch(scrapes=found.due, a=found.due, b=found.received),) if found.due else ()
    why = f"{found.due} of {MIN_SCRAPES} scrapes are due"
    return judged(
        KpiName.COVERAGE, found.host, limit, batches, samples=found.due, minutes=0.0, mean=found.share, why=why
    )


def _duration(limit: float, limits: Limits, host: HostScrapes) -> Guardrail:
    took = seconds_of(host)
    return judged(
        KpiName.SCRAPE_DURATION,
        host.host,
        limit,
        cut([limit] * len(took), took),
        samples=len(took),
        minutes=len(took) * limits.interval_s / 60,
        mean=sum(took) / len(took) if took else None,
    )


def seconds_of(host: HostScrapes) -> list[float]:
    """Of each complete scrape, from the oldest to the newest point of the raw stream."""
    return [scrape.took_ns / _SECOND for scrape in host.complete if scrape.took_ns is not None]


def mean_seconds(host: HostScrapes) -> float | None:
    """The mean of them; None where none is known."""
    took = seconds_of(host)
    return sum(took) / len(took) if took else None
