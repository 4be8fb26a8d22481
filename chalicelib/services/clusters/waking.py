"""Clusters are looked at soon when something new is wanted of a node, instead of at the next ordinary look."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.domain.cluster.cluster import ClusterMode
from chalicelib.domain.fleet.agents import host_of
from chalicelib.services.context import Context, retrying


class Waking:
    """Only makes a look come sooner: lost, nothing is lost but time."""

    def __init__(self, context: Context) -> None:
        self._records = context.records

    def __call__(self, tenant: str, agents: Collection[str]) -> None:
        """Something is wanted of these hosts' agents."""
        found = self._records.hosts.several(tenant, {host_of(agent) for agent in agents})
        for name in sorted({stored.value.cluster for stored in found.values()} - {""}):
            retrying(lambda name=name: self._wake(tenant, name))  # type: ignore[misc]

    def _wake(self, tenant: str, name: str) -> None:
        stored = self._records.clusters.find(tenant, name)
        if stored is None or stored.value.mode is not ClusterMode.PUSH or stored.value.next_look == 0:
            return
        if stored.value.unreachable_since is not None:
            return  # its back-off holds: what is wanted stays wanted
        self._records.clusters.save(tenant, stored.value.model_copy(update={"next_look": 0.0}), stored.version)
