"""What the collector itself costs: CPU, memory, output and failures by its own counters, and the limits on them.

Counters are cumulative since the collector started. A start after the sample before is a restart, and the new counter
counts from zero; what a collector did between its last sample and its end is lost, and not guessed. A start that moves
within the same run (instruments begin moments apart, and are first seen at different times) is no restart.
In shared mode one collector runs both arms: its cost cannot be told apart, and is stated for both together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chalicelib.domain.evaluation.interval import Batch, cut
from chalicelib.domain.evaluation.plan import Limits
from chalicelib.domain.evaluation.result.result import BytesSent, ExporterTotals, HostOverhead
from chalicelib.domain.kpi.judged import Guardrail, is_exact, judged
from chalicelib.domain.kpi.registry import KpiName
from chalicelib.domain.measurement import CollectorSample, Variant

COVERS_BOTH = "both arms together: in shared mode one collector runs them"
COVERS_OWN = "each host's own arm: in a canary a host runs one"
_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Step:
    """From one sample to the next. before: None where the counters started from zero at since_ns."""

    before: CollectorSample | None
    after: CollectorSample
    since_ns: int
    restarted: bool = False

    @property
    def seconds(self) -> float:
        """Time the step covers."""
        return (self.after.time_ns - self.since_ns) / _SECOND

    @property
    def cpu_seconds(self) -> float | None:
        """CPU used in it; None where the collector did not report it."""
        if self.after.cpu_seconds is None or (self.before and self.before.cpu_seconds is None):
            return None
        return self.after.cpu_seconds - ((self.before and self.before.cpu_seconds) or 0.0)


def steps(samples: Sequence[CollectorSample], start_ns: int) -> list[Step]:
    """The steps that end in the window, oldest first. samples: of one host, in order of time."""
    inside = [step for step in _all_steps(samples) if step.after.time_ns >= start_ns and step.seconds > 0]
    # Without a sample from before, the first one inside says nothing about the window unless it started there.
    return [step for step in inside if step.since_ns >= start_ns or step.before is not None]


def _all_steps(samples: Sequence[CollectorSample]) -> Iterator[Step]:
    if samples:
        yield Step(None, samples[0], samples[0].start_ns)
    for before, after in pairwise(samples):
        if _same_counters(before, after):
            yield Step(before, after, before.time_ns)
        elif after.start_ns >= before.time_ns:
            yield Step(None, after, after.start_ns, restarted=True)
        # Else the counter fell without a restart: there is no telling what happened in between, and nothing is added.


def _same_counters(before: CollectorSample, after: CollectorSample) -> bool:
    fell = before.cpu_seconds is not None and after.cpu_seconds is not None and after.cpu_seconds < before.cpu_seconds
    return after.start_ns < before.time_ns and not fell


def host_overhead(host: str, taken: Sequence[Step]) -> HostOverhead:
    """Totals of one host over its steps."""
    cpu = [(step.cpu_seconds, step.seconds) for step in taken]
    used = [(spent, seconds) for spent, seconds in cpu if spent is not None]
    spent, seconds = sum(x for x, _ in used), sum(x for _, x in used)
    rss = [step.after.rss_bytes for step in taken if step.after.rss_bytes is not None]
    names = sorted({name for step in taken for name in step.after.exporters})
    return HostOverhead(
        host=host,
        samples=len(taken),
        seconds=seconds,
        cpu_seconds=spent if used else None,
        cpu_share=spent / seconds if used else None,
        rss_mean_bytes=sum(rss) / len(rss) if rss else None,
        rss_max_bytes=max(rss, default=None),
        restarts=sum(step.restarted for step in taken),
        refused_points=_total(
            (step.before.refused_points if step.before else None, step.after.refused_points) for step in taken
        ),
        accepted_points=_total(
            (step.before.accepted_points if step.before else None, step.after.accepted_points) for step in taken
        ),
        exporters={name: _exporter(name, taken) for name in names},
    )


def _exporter(name: str, taken: Sequence[Step]) -> ExporterTotals:
    def total(field: str) -> int | None:
        return _total(
            (
                getattr(step.before.exporters.get(name), field, None) if step.before else None,
                getattr(step.after.exporters.get(name), field, None),
            )
            for step in taken
        )

    return ExporterTotals(
        sent_points=total("sent_points"), sent_bytes=total("sent_bytes"), failed_points=total("failed_points")
    )


def _total(pairs: Iterable[tuple[int | None, int | None]]) -> int | None:
    """Growth of a counter over steps. It is absent until it first counts, so absent before means zero before."""
    grown = [after - (before or 0) for before, after in pairs if after is not None]
    return sum(grown) if grown else None


def guardrails(limits: Limits, host: str, taken: Sequence[Step]) -> list[Guardrail]:
    """The limits on what the collector's own counters say that the spec gives, judged for one host's collector."""
    measured: Mapping[KpiName, Callable[[Step], _Pair | None]] = {
        KpiName.COLLECTOR_CPU: _cpu,
        KpiName.COLLECTOR_MEMORY: _memory,
        KpiName.EXPORT_FAILURES: _failures,
        KpiName.DROPPED_POINTS: _refusals,
    }
    found = []
    for kpi, read in measured.items():
        limit = limits.limit(kpi)
        if limit is not None:
            pairs = [(step.seconds, pair) for step in taken if (pair := read(step)) is not None]
            found.append(_guardrail(kpi, host, limit, pairs))
    return found


_Pair = tuple[float, float]
"""(of, measured): seconds and what was used in them, or points and those of them that were lost."""


def _cpu(step: Step) -> _Pair | None:
    return None if step.cpu_seconds is None else (step.seconds, step.cpu_seconds)


def _memory(step: Step) -> _Pair | None:
    rss = step.after.rss_bytes
    return None if rss is None else (step.seconds, step.seconds * rss)


def _failures(step: Step) -> _Pair | None:
    """Of the candidate's exporter. The counter of failures is absent until the first one: that is none; one that fell
    is not measured."""
    read = counter_of(Variant.CANDIDATE, "failed_points")
    sent, failed = grown(step, counter_of(Variant.CANDIDATE, "sent_points")), grown(step, read)
    if failed is None and read(step.after) is not None:
        return None
    of = (sent or 0) + (failed or 0)
    return (of, failed or 0) if of else None


def _refusals(step: Step) -> _Pair | None:
    accepted = grown(step, lambda sample: sample.accepted_points)
    refused = grown(step, lambda sample: sample.refused_points)
    if accepted is None or refused is None:
        return None
    of = accepted + refused
    return (of, refused) if of else None


def counter_of(variant: Variant, name: str) -> Callable[[CollectorSample], int | None]:
    """A counter of the exporter that a stream has for itself ("otlp_http/candidate"); None where there is none."""

    def read(sample: CollectorSample) -> int | None:
        found = (x for exporter, x in sample.exporters.items() if exporter.rpartition("/")[2] == variant.value)
        return getattr(next(found, None), name, None)

    return read


def grown(step: Step, read: Callable[[CollectorSample], int | None]) -> int | None:
    """Growth of a counter in a step; None where it is not reported, or fell without a restart."""
    after, before = read(step.after), read(step.before) if step.before else None
    return None if after is None or after < (before or 0) else after - (before or 0)


def _guardrail(kind: KpiName, host: str, limit: float, measured: Sequence[tuple[float, _Pair]]) -> Guardrail:
    """measured: seconds of each step, and what was measured in it."""
    of, used = sum(x for _, (x, _) in measured), sum(y for _, (_, y) in measured)
    if is_exact(kind, limit):
        batches: Sequence[Batch] = (Batch(scrapes=len(measured), a=of, b=used),) if measured else ()
    else:
        batches = cut([limit * x for _, (x, _) in measured], [y for _, (_, y) in measured])
    return judged(
        kind,
        host,
        limit,
        batches,
        samples=len(measured),
        minutes=sum(seconds for seconds, _ in measured) / 60,
        mean=used / of if of else None,
    )


def bytes_sent(taken: Iterable[Sequence[Step]]) -> BytesSent | None:
    """What both arms sent, from the steps of each host's collector. None where an arm has no exporter of its own.

    Collectors report at different moments, so each host's steps are cut into batches first and the batches added up.
    """
    return sent_by_hosts([_both_sent(steps) for steps in taken])


def sent_by_hosts(hosts: Sequence[Sequence[tuple[float, float, float]]]) -> BytesSent | None:
    """The same from the rows of each host: (seconds, bytes of the baseline, bytes of the candidate)."""
    found = [rows for rows in hosts if rows]
    if not found:
        return None
    sums = tuple((sum(a for _, a, _ in rows), sum(b for _, _, b in rows)) for rows in found)
    each = [cut([a for _, a, _ in rows], [b for _, _, b in rows]) for rows in found]
    whole = len(found) == len(hosts) and all(each)
    batches = [
        Batch(scrapes=sum(x.scrapes for x in at), a=sum(x.a for x in at), b=sum(x.b for x in at))
        for at in zip(*each, strict=True)
    ] if whole else []  # fmt: skip
    return BytesSent(
        samples=min(len(rows) for rows in hosts),
        minutes=min(sum(seconds for seconds, _, _ in rows) for rows in hosts) / 60,
        batches=tuple(batches),
        hosts=sums,
    )


def _both_sent(taken: Sequence[Step]) -> list[tuple[float, float, float]]:
    """(seconds, bytes of the baseline, bytes of the candidate) of the steps in which both are known."""
    reads = [counter_of(variant, "sent_bytes") for variant in (Variant.BASELINE, Variant.CANDIDATE)]
    rows = [(step.seconds, grown(step, reads[0]), grown(step, reads[1])) for step in taken]
    return [(seconds, float(a), float(b)) for seconds, a, b in rows if a is not None and b is not None]
