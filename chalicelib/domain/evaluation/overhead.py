"""What the collector itself costs: CPU, memory, output and failures by its own counters, and the limits on them.

Counters are cumulative since the collector started. A start after the sample before is a restart, and the new counter
counts from zero; what a collector did between its last sample and its end is lost, and not guessed. A start that moves
within the same run (instruments begin moments apart, and are first seen at different times) is no restart.
In shared mode one collector runs both arms: its cost cannot be told apart, and is stated for both together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from chalicelib.domain.evaluation.interval import Batch, Ratio, cut, ratio_of
from chalicelib.domain.evaluation.plan import Limits
from chalicelib.domain.evaluation.result import ExporterTotals, Guardrail, HostOverhead
from chalicelib.domain.measurement import CollectorSample

Kind = Literal["collectorCpu", "collectorMemory"]
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
    """The limits that the spec gives, judged for one host's collector."""
    out = []
    if limits.collector_cpu is not None:
        cpu = [(step.seconds, step.cpu_seconds) for step in taken if step.cpu_seconds is not None]
        out.append(_guardrail("collectorCpu", host, limits.collector_cpu, cpu))
    if limits.collector_memory is not None:
        rss = [(step.seconds, step.after.rss_bytes) for step in taken if step.after.rss_bytes is not None]
        out.append(_guardrail("collectorMemory", host, limits.collector_memory, [(t, t * x) for t, x in rss]))
    return out


def _guardrail(kind: Kind, host: str, limit: float, measured: Sequence[tuple[float, float]]) -> Guardrail:
    """measured: (seconds, what was used in them, in limit × seconds)."""
    batches = cut([limit * seconds for seconds, _ in measured], [used for _, used in measured])
    total = sum(seconds for seconds, _ in measured)
    ratio = guardrail_ratio(batches, total / 60)
    return Guardrail(
        kind=kind,
        host=host,
        limit=limit,
        value=sum(used for _, used in measured) / total if measured else None,
        low=ratio.low * limit if ratio else None,
        high=ratio.high * limit if ratio else None,
        state=guardrail_state(ratio),
        samples=len(measured),
        minutes=total / 60,
        batches=batches,
    )


def guardrail_ratio(batches: Sequence[Batch], minutes: float) -> Ratio | None:
    """Σ measured / Σ limit with its interval; None with fewer than 16 samples."""
    return ratio_of(batches, minutes) if minutes > 0 else None


def guardrail_state(ratio: Ratio | None) -> Literal["within", "beyond", "near", "unmeasured"]:
    """Against 1 = the limit: the whole interval must lie on one side."""
    if ratio is None:
        return "unmeasured"
    if ratio.low > 1:
        return "beyond"
    return "within" if ratio.high <= 1 else "near"
