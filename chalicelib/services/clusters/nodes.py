"""Nodes as hosts, in the store: those that appear, change, and are gone for a while."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chalicelib.domain.cluster.cluster import Cluster
from chalicelib.domain.cluster.nodes import GONE_AFTER_S, HostPlan, plan_hosts
from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleet.agents import second_of
from chalicelib.domain.host import Host
from chalicelib.domain.kubernetes.exchange import NodeSeen
from chalicelib.ports.items import ABSENT, Write
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context
from chalicelib.services.fleet.claims import Claims

AT_ONCE = 50


class Nodes:
    """experiments, deployments: who holds a host."""

    def __init__(self, context: Context, experiments: Claims, deployments: Claims) -> None:
        self._context, self._records = context, context.records
        self._experiments, self._deployments = experiments, deployments

    def known(self, tenant: str, cluster: str) -> dict[str, Stored[Host]]:
        """Every host whose name could be a node's of this cluster, in few requests."""
        found: dict[str, Stored[Host]] = {}
        cursor: str | None = None
        while True:
            page, cursor = self._records.hosts.page(tenant, 1000, cursor, start=f"{cluster}-", end=f"{cluster}.")
            found |= {stored.value.name: stored for stored in page}
            if cursor is None:
                return found

    def follow(self, tenant: str, cluster: Cluster, nodes: Sequence[NodeSeen]) -> HostPlan:
        """Make hosts follow the nodes."""
        known = self.known(tenant, cluster.name)
        now = self._context.clock.now()
        plan = plan_hosts(cluster, nodes, {name: stored.value for name, stored in known.items()}, now)
        writes: list[Write] = [self._records.hosts.write(tenant, host, ABSENT) for host in plan.new]
        writes += [self._records.hosts.write(tenant, host, known[host.name].version) for host in plan.changed]
        self._write(writes)
        if plan.gone:
            self.forget(tenant, self._overdue(tenant, plan.gone, now), f"cluster:{cluster.name}")
        return plan

    def held(self, tenant: str, hosts: Collection[str]) -> dict[str, str]:
        """Hosts that an experiment or a deployment holds, and by whom, in words."""
        names = sorted(hosts)
        found = {host: f"deployment {one.holder}" for host, one in self._deployments.holders(tenant, names).items()}
        return found | {
            host: f"experiment {one.holder}" for host, one in self._experiments.holders(tenant, names).items()
        }

    def forget(self, tenant: str, hosts: Collection[str], actor: str) -> None:
        """Remove hosts and all that is known of their agents."""
        now = self._context.clock.now()
        writes: list[Write] = []
        for host in sorted(hosts):
            agents = (host, second_of(host))
            writes += [
                self._records.hosts.removal(tenant, host),
                *(self._records.agents.removal(tenant, agent) for agent in agents),
                *(self._records.effective_configs.removal(tenant, agent) for agent in agents),
                self._records.audit.entry(tenant, f"host:{host}", at=now, actor=actor, action="remove"),
            ]
        self._write(writes)

    def _overdue(self, tenant: str, gone: Sequence[Host], now: float) -> list[str]:
        names = [host.name for host in gone]
        held = self.held(tenant, names)
        agents = self._records.agents.several(tenant, names)
        heard = {host.name: host.enrolled_at for host in gone}
        for name, stored in agents.items():
            state = stored.value.state
            # One that was there a moment ago was heard of through its cluster.
            heard[name] = now if state.through else state.last_seen or heard[name]
        return [name for name in names if name not in held and now - heard[name] > GONE_AFTER_S]

    def _write(self, writes: Sequence[Write]) -> None:
        for start in range(0, len(writes), AT_ONCE):
            try:
                part = writes[start : start + AT_ONCE]
                self._records.store.transact(part, token=f"nodes-{self._context.entropy.uid()}")
            except Conflict:
                continue  # another look at the same cluster was faster; the next one sees what it left


def by_name(plan: HostPlan) -> Mapping[str, str]:
    """Host to the node's name."""
    return {host: node.name for host, node in plan.hosts.items()}
