"""What is known for good of a host: scrapes so old that no part of them is still on its way, in compact form.

An evaluation reads a host's history and the measurements after `sealed_ns`, and gives the same answer as from all
measurements at once, provided that no part came later than GRACE after a newer one. What comes later is dropped, and
counted under the reason "late". Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.scrapes.clusters import Cluster
from chalicelib.domain.measurement import CollectorSample, Count

_SECOND = 1_000_000_000
GRACE_NS = 300 * _SECOND
"""A part may come so long after a newer one: queues and repeated deliveries of collectors take up to five minutes."""
GRACE_INTERVALS = 4


@dataclass(frozen=True)
class Tally:
    """Counts that are not used: how many, and from when to when by the host's clock."""

    count: int
    start_ns: int
    end_ns: int

    def plus(self, other: Tally | None) -> Tally:
        """Both together."""
        if other is None:
            return self
        return Tally(self.count + other.count, min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns))


def tally(times: Sequence[int]) -> Tally:
    """Of at least one time."""
    return Tally(len(times), min(times), max(times))


@dataclass(frozen=True)
class HostHistory:
    """clusters, samples: all up to sealed_ns, in order. refused: reason to what was not used up to there."""

    sealed_ns: int = -1
    clusters: tuple[Cluster, ...] = ()
    samples: tuple[CollectorSample, ...] = ()
    refused: Mapping[str, Tally] = field(default_factory=lambda: MappingProxyType({}))

    def times(self) -> list[int]:
        """The oldest and newest moments of it, by the host's clock."""
        ends = [cluster.first_ns for cluster in self.clusters[:1]] + [cluster.at_ns for cluster in self.clusters[-1:]]
        return ends + [sample.time_ns for sample in (*self.samples[:1], *self.samples[-1:])]

    def plus(self, more: HostHistory) -> HostHistory:
        """The history with what was sealed after it. refused is cumulative: that of `more` stands."""
        return HostHistory(
            more.sealed_ns, (*self.clusters, *more.clusters), (*self.samples, *more.samples), more.refused
        )


def added(refused: Mapping[str, Tally], more: Mapping[str, Sequence[int]]) -> dict[str, Tally]:
    """Tallies with the times of more that is refused."""
    out = dict(refused)
    for reason, times in more.items():
        if times:
            out[reason] = tally(times).plus(out.get(reason))
    return out


def seal(
    plan: EvaluationPlan,
    history: HostHistory,
    found: Sequence[Cluster],
    samples: Sequence[CollectorSample],
    refused: Mapping[str, Sequence[Count]],
    now_ns: int,
) -> HostHistory:
    """What can be added to a host's history now; empty, with the old line, when nothing is old enough.

    found, samples: of after the line, in order, without copies. refused: by reason, what is not used and was not
    counted before. now_ns: Unix nanoseconds, control plane.
    """
    interval = round(plan.limits.interval_s * _SECOND)
    newest = [cluster.at_ns for cluster in found] + [sample.time_ns for sample in samples]
    late = {"late": [count.end_ns for count in refused.get("late", ())]}
    if not newest:
        return HostHistory(history.sealed_ns, refused=added(history.refused, late))
    line = min(max(newest), now_ns) - max(GRACE_NS, GRACE_INTERVALS * interval)
    done = next((i for i, cluster in enumerate(found) if cluster.first_ns + interval >= line), len(found))
    # Two collectors may scrape at the same moment: the line must not cut through a scrape of either.
    while 0 < done < len(found) and max(cluster.at_ns for cluster in found[:done]) >= found[done].first_ns:
        done -= 1
    line = max(history.sealed_ns, min([line, *(cluster.first_ns - 1 for cluster in found[done : done + 1])]))
    old = {why: [c.end_ns for c in counts if c.end_ns <= line] for why, counts in refused.items() if why != "late"}
    return HostHistory(
        line,
        tuple(found[:done]),
        tuple(sorted_samples(sample for sample in samples if sample.time_ns <= line)),
        added(history.refused, {**old, **late}),
    )


def sorted_samples(samples: Iterable[CollectorSample]) -> list[CollectorSample]:
    """In order of time; the whole content orders samples of the same moment, so that arrival plays no part."""
    return sorted(samples, key=lambda sample: (sample.time_ns, sample.model_dump_json()))
