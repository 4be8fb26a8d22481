"""What the operator says of itself to a Prometheus: reconciles, errors, queue, API requests, resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from operators.engine.caches import Caches
from operators.engine.objects import Kind

_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class Metrics:
    """Implements engine.loop.Observer, and counts API requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._reconciles = Counter(
            "phoenix_operator_reconciles",
            "Reconciles, by controller and outcome.",
            ("controller", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "phoenix_operator_reconcile_seconds",
            "How long a reconcile took.",
            ("controller",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            "phoenix_operator_api_requests",
            "Requests to the Kubernetes API, by verb, resource and status (0: no answer).",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self._depth = Gauge("phoenix_operator_queue_depth", "Keys that wait for a worker.", registry=self.registry)
        self._leading = Gauge("phoenix_operator_leading", "1 while this process works.", registry=self.registry)

    def reconciled(self, controller: str, outcome: Literal["done", "failed", "broken"], seconds: float) -> None:
        """See Observer."""
        self._reconciles.labels(controller, outcome).inc()
        self._seconds.labels(controller).observe(seconds)

    def requested(self, verb: str, kind: Kind, code: int) -> None:
        """See engine.client.Counted."""
        self._requests.labels(verb, kind.plural, str(code)).inc()

    def leading(self, leading: bool) -> None:
        """Whether this process works."""
        self._leading.set(int(leading))

    def watch(self, caches: Caches, depth: Callable[[], int]) -> None:
        """Read these whenever a Prometheus asks."""
        self._depth.set_function(depth)
        self.registry.register(_Resources(caches))


class _Resources(Collector):
    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "phoenix_operator_resources",
            "Objects in the caches; of custom resources by their condition Ready.",
            labels=("resource", "ready"),
        )
        for kind, own in self._caches.kinds().items():
            counts = _by_readiness(self._caches, kind) if own else {"": self._caches.count(kind)}
            for ready, count in sorted(counts.items()):
                family.add_metric((kind.plural, ready), count)
        yield family


def _by_readiness(caches: Caches, kind: Kind) -> dict[str, int]:
    counts: dict[str, int] = {}
    for thing in caches.all(kind):
        conditions = (thing.get("status") or {}).get("conditions") or []
        ready = next((str(one.get("status")) for one in conditions if one.get("type") == "Ready"), "Unknown")
        counts[ready] = counts.get(ready, 0) + 1
    return counts
