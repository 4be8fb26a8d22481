"""The KpiSource port over the measurement store: what the edge counted, as it was sent. Nothing is joined here."""

from __future__ import annotations

from chalicelib.domain.measurement import Count, Variant
from chalicelib.ports.kpis import Asked
from chalicelib.repositories.measurements import MAX_SPAN_NS, Measurements

_ARMS = (Variant.BASELINE, Variant.CANDIDATE)


class StoredArms:
    """measurements: those of every tenant."""

    def __init__(self, measurements: Measurements) -> None:
        self._measurements = measurements

    def arms(self, asked: Asked) -> list[Count]:
        """See the port. A count is one part; copies of it are left out."""
        found: dict[str, Count] = {}
        for host, (start, end) in asked.spans.items():
            for count in self.counts(asked.tenant, asked.scope, host, start, end):
                if count.variant in _ARMS:
                    known = asked.critical.get(host, frozenset())
                    shown = tuple(process for process in count.critical if process in known)
                    kept = count.model_copy(update={"critical": shown})
                    found[kept.model_dump_json()] = kept
        return list(found.values())

    def counts(self, tenant: str, scope: str, host: str, start_ns: int, end_ns: int) -> list[Count]:
        """Everything that the edge counted of a host between two moments, both included; raw as well."""
        # An item is kept under the time of its oldest part.
        counts, _ = self._measurements.read(tenant, scope, host, max(0, start_ns - MAX_SPAN_NS), end_ns + 1)
        return [count for count in counts if start_ns <= count.end_ns and count.start_ns <= end_ns]
