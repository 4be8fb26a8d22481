"""Nodes as hosts: which host a node is, its labels and facts, and which hosts are gone. Decides; stores nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.cluster.cluster import CLUSTER_LABEL, Cluster
from chalicelib.domain.host import Host, HostFacts
from chalicelib.domain.kubernetes.exchange import (
    HOSTNAME_LABEL,
    MAX_LABEL_KEY,
    USED_LABELS,
    NodeSeen,
    host_of_node,
)

GONE_AFTER_S = 600.0
"""Seconds after which a node that is gone, and that nothing holds, is no host any more."""


@dataclass(frozen=True)
class HostPlan:
    """What becomes of hosts. new, changed: to be stored. gone: hosts whose node is no longer there. taken: nodes whose
    host's name belongs to another host."""

    hosts: Mapping[str, NodeSeen]
    """Host to node, of all that are or become hosts."""
    new: tuple[Host, ...] = ()
    changed: tuple[Host, ...] = ()
    gone: tuple[Host, ...] = ()
    taken: tuple[str, ...] = ()


def selector_name(node: NodeSeen) -> str:
    """By which a resource names the node: its hostname label, which scheduling goes by."""
    return node.labels.get(HOSTNAME_LABEL) or node.name


def labels_of(cluster: Cluster, node: NodeSeen) -> dict[str, str]:
    """At most 32: the cluster's name first, what was given to all its nodes, then the node's own in order of name."""
    found = {CLUSTER_LABEL: cluster.name, **cluster.labels}
    for key in sorted(node.labels):
        if len(key) <= MAX_LABEL_KEY and key not in found:
            found[key] = node.labels[key]
    return dict(list(found.items())[:USED_LABELS])


def plan_hosts(cluster: Cluster, nodes: Sequence[NodeSeen], known: Mapping[str, Host], now: float) -> HostPlan:
    """known: hosts under this cluster's names, also those that are not its nodes. now: Unix seconds."""
    hosts: dict[str, NodeSeen] = {}
    new: list[Host] = []
    changed: list[Host] = []
    taken: list[str] = []
    for node in nodes:
        name = host_of_node(cluster.name, node.name)
        before = known.get(name)
        if before is not None and (before.cluster, before.node) != (cluster.name, node.name):
            taken.append(f"node {node.name} cannot be a host: the name {name} belongs to another host")
            continue
        hosts[name] = node
        after = _host(cluster, node, name, before, now)
        if before is None:
            new.append(after)
        elif (after.labels, after.facts) != (before.labels, before.facts):
            changed.append(after)
    gone = [host for name, host in known.items() if host.cluster == cluster.name and name not in hosts]
    return HostPlan(hosts, tuple(new), tuple(changed), tuple(gone), tuple(taken))


def _host(cluster: Cluster, node: NodeSeen, name: str, before: Host | None, now: float) -> Host:
    old = before.facts if before else HostFacts()
    facts = old.model_copy(
        update={"cpu_count": node.cpu_count, "memory_bytes": node.memory_bytes, "boot_id": node.boot_id}
    )
    labels = labels_of(cluster, node)
    if before is not None:
        update = {"labels": labels, "facts": facts, "facts_at": before.facts_at if facts == old else now}
        return before.model_copy(update=update)
    return Host(
        name=name,
        labels=labels,
        enrolled_at=now,
        enrolled_by=f"cluster:{cluster.name}",
        token_id="",
        facts=facts,
        facts_at=now,
        cluster=cluster.name,
        node=node.name,
    )
