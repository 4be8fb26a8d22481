"""Which collector of a host measured what: one for all streams in shared mode, one for each arm in dedicated mode.

Parts of one scrape are of one collector, and so are restarts. No window, no clock: see numbering.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.scrapes.clusters import Cluster, CriticalSet, SetKey, clusters_of
from chalicelib.domain.measurement import CollectorSample, Count, Variant

_BASELINE = (Variant.RAW, Variant.BASELINE)
_CANDIDATE = (Variant.CANDIDATE_RAW, Variant.CANDIDATE)


@dataclass(frozen=True)
class Collector:
    """arm: whose it is, None for both. streams: what it counts. markers: of the configuration that it may run."""

    arm: Variant | None
    streams: tuple[Variant, ...]
    markers: frozenset[str]

    def counted(self, cluster: Cluster) -> bool:
        """Whether a cluster is of this collector."""
        return any(stream in cluster.readings for stream in self.streams)

    def own(self, samples: Iterable[CollectorSample]) -> list[CollectorSample]:
        """Those of its own counters, in the order given."""
        return [sample for sample in samples if sample.marker in self.markers]


def collectors_of(plan: EvaluationPlan, host: str) -> tuple[Collector, ...]:
    """The collectors of a host, the baseline's first."""
    if plan.mode == "shared":
        # Counters from before the first stamp carry no marker; there is no other collector that they could be of.
        return (Collector(None, plan.streams(host), plan.markers(host) | {""}),)
    return (
        Collector(Variant.BASELINE, _BASELINE, plan.markers(host, Variant.BASELINE)),
        Collector(Variant.CANDIDATE, _CANDIDATE, plan.markers(host, Variant.CANDIDATE)),
    )


def restarts_of(collector: Collector, samples: Iterable[CollectorSample]) -> list[int]:
    """When the collector started, by its own counters; host's clock, nanoseconds, sorted."""
    return sorted({sample.start_ns for sample in collector.own(samples)})


def host_clusters(
    collectors: Sequence[Collector],
    counts: Sequence[Count],
    samples: Sequence[CollectorSample],
    interval_ns: int,
    known: dict[SetKey, CriticalSet] | None = None,
) -> list[Cluster]:
    """The clusters of all collectors of a host, oldest first. known: see `clusters_of`."""
    found: list[Cluster] = []
    for one in collectors:
        own = [count for count in counts if count.variant in one.streams] if len(collectors) > 1 else counts
        found += clusters_of(own, interval_ns, restarts_of(one, samples), known, one.streams)
    return sorted(found, key=lambda cluster: cluster.first_ns) if len(collectors) > 1 else found
