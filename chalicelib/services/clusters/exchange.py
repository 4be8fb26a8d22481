"""The exchange with a cluster, whoever carries it: what it sees becomes reports of its hosts, what is wanted of them
becomes its orders. Repeated, late or beside another of the same cluster it does no harm."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.access import Principal, Role
from chalicelib.domain.cluster.cluster import (
    LOOK_EVERY_S,
    LOOK_SOON_S,
    Cluster,
    ClusterView,
    NodeView,
    Versions,
    lost,
    reached,
)
from chalicelib.domain.cluster.loads import job_name, status_of_job, wanted_jobs
from chalicelib.domain.cluster.nodes import HostPlan, selector_name
from chalicelib.domain.cluster.orders import Group, Sight, Want, arrange
from chalicelib.domain.cluster.reports import heard, node_policy, say_idle, say_wanted
from chalicelib.domain.cluster.sharing import Shared, stamped
from chalicelib.domain.errors import Conflict, NotFound, Rejected
from chalicelib.domain.fleet.state import AgentState
from chalicelib.domain.kubernetes.exchange import MAX_PROBLEMS, ClusterOrders, ClusterSeen, LoadWanted, over_size
from chalicelib.domain.loadsim import LoadSim
from chalicelib.ports.items import ANY_VERSION
from chalicelib.repositories.documents import Stored
from chalicelib.services.clusters.configs import SharedConfigs
from chalicelib.services.clusters.nodes import Nodes, by_name
from chalicelib.services.context import Context, retrying
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.fleet.loadsims import LoadSims
from chalicelib.services.tokens import Tokens

log = logging.getLogger("phoenix.clusters")


@dataclass(frozen=True)
class _Said:
    """One exchange under way."""

    tenant: str
    cluster: Cluster
    seen: ClusterSeen
    plan: HostPlan
    sight: Sight


class Exchange:
    """Hears what a cluster says and decides what it shall have."""

    def __init__(self, context: Context, fleet: Fleet, loadsims: LoadSims, tokens: Tokens, nodes: Nodes) -> None:
        self._context, self._records = context, context.records
        self._fleet, self._loadsims, self._tokens, self._nodes = fleet, loadsims, tokens, nodes
        self._configs = SharedConfigs(fleet)
        self._policy = node_policy(fleet.policy)
        self._used: set[str] = set()

    def pulled(self, principal: Principal, name: str, seen: ClusterSeen) -> ClusterOrders:
        """One exchange that the operator in the cluster began. Raises NotFound, Conflict for a cluster in push mode."""
        cluster = self._records.clusters.get(principal.tenant, name).value
        if cluster.mode != "pull":
            raise Conflict(
                f"cluster {name!r} is in push mode: the control plane calls it",
                hint="start the operator there without a control plane, or register it again with --pull",
            )
        if cluster.removing:
            return ClusterOrders()
        if seen.incomplete:
            raise self._refused(principal.tenant, name, seen.incomplete)
        orders = self.exchange(principal.tenant, cluster, seen)
        if why := over_size(len(orders.model_dump_json(by_alias=True)), "what the cluster shall have takes"):
            raise self._refused(principal.tenant, name, why)
        self.seen(principal.tenant, name, seen, orders.again_seconds)
        self.used(principal)
        return orders

    def _refused(self, tenant: str, name: str, why: str) -> Rejected:
        """One that cannot be whole counts as none: nothing is applied or forgotten, and the cluster says why."""
        self.lost(tenant, name, why)
        return Rejected(why)

    def exchange(self, tenant: str, cluster: Cluster, seen: ClusterSeen) -> ClusterOrders:
        """What the cluster shall have, after what it says was taken."""
        plan = self._nodes.follow(tenant, cluster, seen.nodes)
        up = frozenset(node.name for node in seen.nodes if node.ready)
        sight = Sight(seen.pipelines, {node.name: selector_name(node) for node in seen.nodes}, up, cluster.name)
        said = _Said(tenant, cluster, seen, plan, sight)
        states, wants, shared = self._take(said)
        loads = self._loads(said)
        pipelines = arrange(_groups(wants, shared), sight)
        self._show(said, wants, [one.name for one in pipelines])
        pending = any(_open(states[host]) for host in wants if host in states)
        moving = {one.name: one.spec for one in pipelines} != {one.name: one.spec for one in seen.pipelines}
        starting = any(load.name not in {one.name for one in seen.loads} for load in loads)
        soon = pending or moving or starting or bool(loads)
        return ClusterOrders(
            pipelines=pipelines, loads=loads, again_seconds=round(LOOK_SOON_S if soon else LOOK_EVERY_S)
        )

    def used(self, principal: Principal) -> None:
        """A cluster's token was used: those before it are not needed any more. Looked at once in a process."""
        if principal.token_id in self._used:
            return
        found = self._records.clusters.find(principal.tenant, principal.subject)
        if found is not None and found.value.token_id == principal.token_id:
            self._retire(principal.tenant, found)
        self._used.add(principal.token_id)

    def _retire(self, tenant: str, stored: Stored[Cluster]) -> None:
        if not stored.value.retiring:
            return
        for token in stored.value.retiring:
            self._tokens.revoke(tenant, token, f"cluster:{stored.value.name}")
        with suppress(Conflict):  # then it is done again: revoking twice is fine
            after = stored.value.model_copy(update={"retiring": ()})
            self._records.clusters.save(tenant, after, stored.version)

    def seen(self, tenant: str, name: str, seen: ClusterSeen, again: float) -> None:
        """Keep that the cluster was heard of. again: seconds until it is looked at again."""
        versions = Versions(
            kubernetes=seen.kubernetes_version, operator=seen.operator_version, collector_image=seen.collector_image
        )
        stored = self._records.clusters.find(tenant, name)
        if stored is None:
            return
        with suppress(Conflict):  # another exchange of the same moment said the same
            woken = stored.value.next_look == 0
            after = reached(stored.value, versions, self._context.clock.now(), again)
            after = after.model_copy(update={"next_look": 0.0}) if woken else after
            self._records.clusters.save(tenant, after, stored.version)

    def lost(self, tenant: str, name: str, why: str, *, heard: bool = False) -> None:
        """Keep that an exchange failed. heard: what the cluster said was taken before."""
        log.warning("cluster %s: %s", name, why)
        now = self._context.clock.now()
        chance = int(self._context.entropy.uid()[-3:], 36) % 100 / 100

        def attempt() -> Stored[Cluster] | None:
            stored = self._records.clusters.find(tenant, name)
            if stored is None:
                return None
            after = lost(stored.value, why, now, chance)
            after = after.model_copy(update={"last_seen": now}) if heard else after
            return self._records.clusters.save(tenant, after, stored.version)

        retrying(attempt)

    def _take(self, said: _Said) -> tuple[Mapping[str, AgentState], dict[str, Want], dict[str, Shared]]:
        """States and wants of the hosts, after what was said of them."""
        names = by_name(said.plan)
        states: dict[str, AgentState] = self._fleet.states(said.tenant, list(names))
        wants, shared = self._configs.wants(said.tenant, names, states)
        version = said.seen.collector_image.rpartition(":")[2]
        says = {}
        for host, node in said.plan.hosts.items():
            if not node.ready:  # as a host that is silent: away after a while
                continue
            if host in wants:
                says[host] = say_wanted(wants[host], heard(wants[host], said.sight), version)
            else:
                runs = any(said.sight.names(one, node.name) for one in said.seen.pipelines)
                says[host] = say_idle(host, runs, version)
        silent = {host for host, node in said.plan.hosts.items() if not node.ready}
        silent |= {host.name for host in said.plan.gone}
        heard_of = self._fleet.hear_all(said.tenant, said.cluster.name, says, silent, self._policy)
        after = {**states, **heard_of}
        if any(_asks(after[host]) != _asks(states[host]) for host in names):
            wants, shared = self._configs.wants(said.tenant, names, after)
        return after, wants, shared

    def _loads(self, said: _Said) -> tuple[LoadWanted, ...]:
        """The jobs wanted, after the loads were told how theirs stand."""
        selectors = {host: selector_name(node) for host, node in said.plan.hosts.items()}
        sims = [sim for sim in self._loadsims.page(said.tenant) if sim.host in selectors]
        jobs = {one.name: one for one in said.seen.loads}
        left: list[LoadSim] = []
        for sim in sims:
            job = jobs.get(job_name(sim))
            status = status_of_job(sim, job) if job else None
            if status is not None and status != sim.status:
                whose = Principal(said.tenant, Role.HOST, sim.host, "")
                try:
                    self._loadsims.report(whose, sim.name, status)
                except NotFound:
                    continue  # forgotten meanwhile
                sim = sim.model_copy(update={"status": status})
            left.append(sim)
        return wanted_jobs(left, selectors)

    def _show(self, said: _Said, wants: Mapping[str, Want], resources: list[str]) -> None:
        """Keep how it looked, where that changed."""
        view = ClusterView(
            cluster=said.cluster.name,
            nodes=tuple(_view(said, host, wants.get(host)) for host in sorted(said.plan.hosts)),
            resources=tuple(resources),
            problems=(*said.seen.problems, *said.plan.taken)[:MAX_PROBLEMS],
        )
        found = self._records.cluster_views.find(said.tenant, said.cluster.name)
        if found is None or found.value != view:
            writes = self._records.cluster_views.writes(said.tenant, view, ANY_VERSION)
            self._records.store.transact(writes, token=f"view-{self._context.entropy.uid()}")


def _groups(wants: Mapping[str, Want], shared: Mapping[str, Shared]) -> list[Group]:
    together: dict[str, list[Want]] = defaultdict(list)
    for want in wants.values():
        together[want.marker].append(want)
    return [
        Group(
            marker=marker,
            config=stamped(shared[marker], several[0].scope),
            nodes=frozenset(want.node for want in several),
            revision=max(want.revision for want in several),
        )
        for marker, several in sorted(together.items())
    ]


def _view(said: _Said, host: str, want: Want | None) -> NodeView:
    node = said.plan.hosts[host]
    named = [one for one in said.sight.living() if said.sight.names(one, node.name)]
    there = next((one for one in named if want is not None and said.sight.markers[one.name] == want.marker), None)
    there = there or (named[0] if named else None)
    status = said.sight.status(there, node.name) if there else None
    return NodeView(
        node=node.name,
        host=host,
        ready=node.ready,
        resource=there.name if there else "",
        state=status.state if status else None,
        message=status.message if status else "",
    )


def _open(state: AgentState) -> bool:
    return state.desired is not None and state.desired.open


def _asks(state: AgentState) -> tuple[str, str, int, bool]:
    wanted = state.desired
    if wanted is None:
        return "", "", 0, False
    return wanted.scope, wanted.content_hash, wanted.revision, wanted.failed_at is None
