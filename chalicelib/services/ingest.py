"""The measurement intake: what a host's collector counted, kept under the host that sent it."""

from __future__ import annotations

from collections import defaultdict

from chalicelib.domain.access import Principal
from chalicelib.domain.errors import NotAllowed
from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.ports.wire import MetricsCodec
from chalicelib.services.context import Context


class Ingest:
    """A host may send its own measurements and nobody else's."""

    def __init__(self, context: Context, wire: MetricsCodec) -> None:
        self._context, self._wire = context, wire

    def take(self, principal: Principal, body: bytes, content_type: str) -> bytes:
        """One OTLP request in, its answer out. Raises InvalidInput for garbage, NotAllowed for another host's data."""
        batch = self._wire.decode(body, content_type)
        parts: dict[str, tuple[list[Count], list[CollectorSample]]] = defaultdict(lambda: ([], []))
        for count in batch.counts:
            _own(principal, count.host)
            parts[count.scope][0].append(count)
        for sample in batch.samples:
            _own(principal, sample.host)
            parts[sample.scope][1].append(sample)
        now = self._context.clock.now()
        for scope, (counts, samples) in parts.items():
            self._context.records.measurements.add(principal.tenant, scope, principal.subject, counts, samples, now)
        return self._wire.encode_success(batch, content_type)


def _own(principal: Principal, host: str) -> None:
    if host != principal.subject:
        raise NotAllowed(f"this token belongs to host {principal.subject!r}; it cannot report for {host!r}")
