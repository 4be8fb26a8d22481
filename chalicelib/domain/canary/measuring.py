"""From a canary's scrapes to what its evaluation shows and keeps: the pre-period, rows, levels, retention. No interval.

Everything is stated for the candidate's hosts: what they report, what raw had there, and what they would report on the
baseline, which is their pre-period times the growth of the baseline's hosts since then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.canary.before import Canary, HostBefore, PrePeriod
from chalicelib.domain.canary.estimate import growth, sums_of
from chalicelib.domain.evaluation.measures.retention import critical_report
from chalicelib.domain.evaluation.result.result import CriticalReport, Levels, SeriesReport
from chalicelib.domain.evaluation.scrapes.numbering import Scrape
from chalicelib.domain.evaluation.scrapes.scrapes import HostScrapes
from chalicelib.domain.measurement import Variant

Row = tuple[int, float, float, float]


def before_of(
    hosts: Iterable[HostScrapes], markers: Mapping[str, Iterable[str]], due: int, start_ns: int, end_ns: int
) -> PrePeriod:
    """The pre-period from the scrapes of hosts that all ran the baseline. markers: by host, of what it ran. due:
    scrapes that were to come of each."""

    def total(host: HostScrapes, variant: Variant) -> int:
        return sum(scrape.readings[variant].series for scrape in host.complete)

    return PrePeriod(
        start_ns=start_ns,
        end_ns=end_ns,
        hosts=tuple(
            HostBefore(
                host=host.host,
                scrapes=len(host.complete),
                due=due,
                raw=total(host, Variant.RAW),
                series=total(host, Variant.BASELINE),
                markers=tuple(sorted(markers[host.host])),
            )
            for host in hosts
        ),
    )


def joined(canary: Canary, hosts: Iterable[HostScrapes]) -> list[Row]:
    """(slot, raw, expected on the baseline, candidate) over the candidate's hosts with a complete scrape in the slot,
    oldest first. A slot counts when hosts of both arms have one: a host that is missing then is missing from what is
    expected too."""
    before, arms = canary.expected(), canary.assignment.arms
    slots: dict[int, _Slot] = {}
    for host in hosts:
        arm, mean = arms[host.host], before.get(host.host, 0.0)
        if mean > 0:
            for scrape in host.complete:
                slots.setdefault(scrape.slot, _Slot()).add(arm, scrape, mean)
    return [(number, *slot.row()) for number, slot in sorted(slots.items()) if slot.whole]


class _Slot:
    """Sums of one slot while they are made; lives for one call."""

    def __init__(self) -> None:
        self.raw = 0
        self.series = {Variant.BASELINE: 0, Variant.CANDIDATE: 0}
        self.before = {Variant.BASELINE: 0.0, Variant.CANDIDATE: 0.0}

    def add(self, arm: Variant, scrape: Scrape, mean: float) -> None:
        self.series[arm] += scrape.readings[arm].series
        self.before[arm] += mean
        if arm is Variant.CANDIDATE:
            self.raw += scrape.readings[Variant.RAW].series

    @property
    def whole(self) -> bool:
        return all(self.series.values())

    def row(self) -> tuple[float, float, float]:
        scale = self.before[Variant.CANDIDATE] / self.before[Variant.BASELINE]
        # To a tenth, as rows are kept: batches can then be made again from them.
        expected = round(self.series[Variant.BASELINE] * scale, 1)
        return float(self.raw), expected, float(self.series[Variant.CANDIDATE])


def series_report(canary: Canary, hosts: Sequence[HostScrapes]) -> SeriesReport:
    """Levels of the candidate's hosts; the baseline is what they would report on it."""
    found = [host for host in hosts if host.complete]
    arms = canary.assignment.arms
    candidates = [host.complete for host in found if arms[host.host] is Variant.CANDIDATE]
    mean = _levels(canary, found, newest=False)
    if mean is None:
        return SeriesReport()
    last_ns = max(scrapes[-1].at_ns for scrapes in candidates)
    return SeriesReport(last=_levels(canary, found, newest=True), last_ns=last_ns, mean=mean)


def _levels(canary: Canary, hosts: Sequence[HostScrapes], *, newest: bool) -> Levels | None:
    arms = canary.assignment.arms
    taken = {host.host: host.complete[-1:] if newest else host.complete for host in hosts}
    sums = [
        (host, len(scrapes), float(sum(scrape.readings[arms[host]].series for scrape in scrapes)))
        for host, scrapes in taken.items()
    ]
    raw = sum(
        sum(scrape.readings[Variant.RAW].series for scrape in scrapes) / len(scrapes)
        for host, scrapes in taken.items()
        if arms[host] is Variant.CANDIDATE
    )
    return levels_of(canary, sums, raw)


def levels_of(canary: Canary, found: Sequence[tuple[str, int, float]], raw: float) -> Levels | None:
    """found: host, scrapes, series of its arm in them. raw: series a scrape on the candidate's hosts. None until both
    arms were measured."""
    sums = [one for one in sums_of(canary, found) if one.scrapes]
    grown = growth(sums, Variant.BASELINE)
    candidates = [one for one in sums if one.arm is Variant.CANDIDATE]
    if grown is None or not candidates:
        return None
    return Levels(
        raw=raw,
        baseline=grown * sum(one.before for one in candidates),
        candidate=sum(one.series / one.scrapes for one in candidates),
    )


def critical_of(canary: Canary, patterns: Sequence[str], hosts: Sequence[HostScrapes]) -> CriticalReport:
    """Retention of each arm on its own hosts, against their own raw streams: an invariant, as in every layout.

    Patterns and processes are those of the candidate's hosts; `baseline_raw` is what raw had on the baseline's.
    """
    arms: Mapping[str, Variant] = canary.assignment.arms

    def report(arm: Variant) -> CriticalReport:
        return critical_report(patterns, [host for host in hosts if arms[host.host] is arm], (arm,))

    candidate, baseline = report(Variant.CANDIDATE), report(Variant.BASELINE)
    rows = [
        row.model_copy(
            update={
                "baseline_raw": other.raw,
                "baseline": other.baseline,
                "baseline_retention": other.baseline_retention,
            }
        )
        for row, other in zip(candidate.patterns, baseline.patterns, strict=True)
    ]
    return candidate.model_copy(
        update={
            "patterns": tuple(rows),
            "baseline_breaches": baseline.baseline_breaches,
            "unconfirmed": (*candidate.unconfirmed, *baseline.unconfirmed),
        }
    )
