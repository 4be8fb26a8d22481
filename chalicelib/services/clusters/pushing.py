"""Clusters that the control plane calls: one look and what follows from it, and what becomes of one that is away."""

from __future__ import annotations

from chalicelib.domain.cluster.cluster import Cluster, ClusterMode
from chalicelib.domain.errors import Conflict, PhoenixError
from chalicelib.ports.clusters import ClusterApis
from chalicelib.services.clusters.exchange import Exchange
from chalicelib.services.clusters.registry import Clusters
from chalicelib.services.context import Context

LOOK_LASTS_S = 60.0
"""Seconds a look may take before another looks too: a process that died in one is not waited for longer."""


class Pushing:
    """Looks may happen twice, late or beside each other: what they apply and delete is the same."""

    def __init__(self, context: Context, clusters: Clusters, apis: ClusterApis, exchange: Exchange) -> None:
        self._context, self._records = context, context.records
        self._clusters, self._apis, self._exchange = clusters, apis, exchange

    def step(self, tenant: str, name: str) -> None:
        """Look at a cluster, if it is time, and make it so. A cluster that is away is tried again, later and later."""
        stored = self._records.clusters.find(tenant, name)
        now = self._context.clock.now()
        if stored is None or stored.value.mode is not ClusterMode.PUSH or stored.value.removing:
            return
        if now < stored.value.next_look:
            return
        mine = stored.value.model_copy(update={"next_look": now + LOOK_LASTS_S})
        try:
            self._records.clusters.save(tenant, mine, stored.version)
        except Conflict:
            return  # another looks
        self._look(tenant, mine)

    def _look(self, tenant: str, cluster: Cluster) -> None:
        try:
            api = self._apis.of(cluster, self._clusters.credentials(tenant, cluster))
            seen = api.look()
        except PhoenixError as error:
            self._exchange.lost(tenant, cluster.name, error.detail)
            return
        orders = self._exchange.exchange(tenant, cluster, seen)
        try:
            api.carry_out(seen, orders)
        except PhoenixError as error:
            self._exchange.lost(tenant, cluster.name, error.detail, heard=True)
            return
        self._exchange.seen(tenant, cluster.name, seen, orders.again_seconds)
