"""The measurement intake: what a host's collector counted, kept under the host that sent it. A cluster sends for its
own nodes, by their names there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from chalicelib.domain.access import Principal, Role
from chalicelib.domain.errors import NotAllowed
from chalicelib.domain.kubernetes.exchange import host_of_node
from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.ports.wire import MetricsCodec
from chalicelib.services.context import Context


class Ingest:
    """A host may send its own measurements and nobody else's, a cluster those of the nodes that it has."""

    def __init__(self, context: Context, wire: MetricsCodec, used: Callable[[Principal], None]) -> None:
        """used: told that a cluster's token was used."""
        self._context, self._wire, self._used = context, wire, used

    def take(self, principal: Principal, body: bytes, content_type: str) -> bytes:
        """One OTLP request in, its answer out. Raises InvalidInput for garbage, NotAllowed for another host's data."""
        batch = self._wire.decode(body, content_type)
        found: dict[tuple[str, str], tuple[list[Count], list[CollectorSample]]] = defaultdict(lambda: ([], []))
        for count in batch.counts:
            host = _host(principal, count.host)
            found[host, count.scope][0].append(count if host == count.host else count.model_copy(update={"host": host}))
        for sample in batch.samples:
            host = _host(principal, sample.host)
            own = sample if host == sample.host else sample.model_copy(update={"host": host})
            found[host, sample.scope][1].append(own)
        if principal.role is Role.CLUSTER:
            self._check_nodes(principal, {host for host, _ in found})
            self._used(principal)
        now = self._context.clock.now()
        for (host, scope), (counts, samples) in found.items():
            self._context.records.measurements.add(principal.tenant, scope, host, counts, samples, now)
        return self._wire.encode_success(batch, content_type)

    def _check_nodes(self, principal: Principal, hosts: set[str]) -> None:
        known = self._context.records.hosts.several(principal.tenant, hosts)
        for host in hosts:
            if host not in known or known[host].value.cluster != principal.subject:
                raise NotAllowed(
                    f"host {host!r} is no node of cluster {principal.subject!r}",
                    hint="phoenix.host must be the node's name, ${env:PHOENIX_HOST}",
                )


def _host(principal: Principal, said: str) -> str:
    """The host that measurements are of."""
    if principal.role is Role.CLUSTER:
        return host_of_node(principal.subject, said)
    if said != principal.subject:
        raise NotAllowed(f"this token belongs to host {principal.subject!r}; it cannot report for {said!r}")
    return said
