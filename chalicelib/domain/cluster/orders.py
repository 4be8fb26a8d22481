"""Which resources a cluster shall have: nodes that want the same share one, and a node that changes its resource leaves
the old one when the new one is ready there. Level-triggered: the same sight and wants give the same orders.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chalicelib.domain.kubernetes.exchange import PipelineSeen, PipelineWanted
from chalicelib.domain.kubernetes.process_pipeline import (
    NODES_SHOWN,
    KpiTarget,
    NodeState,
    NodeStatus,
    PhoenixProcessPipelineSpec,
    PhoenixProcessPipelineStatus,
    RolloutPolicy,
)
from chalicelib.domain.kubernetes.resource import SecretRef
from chalicelib.domain.pipeline.marker import find_marker

TOKEN_SECRET = "phoenix-cluster"
"""Secret with the keys `endpoint` and `token` that the nodes' collectors send measurements with."""
ENVIRONMENT_SECRET = "phoenix-environment"
"""Secret whose keys are the environment variables that configurations refer to, where they do."""
PROGRESS_S = 90.0
"""Seconds without progress after which the operator puts the last good configuration back: under the three minutes that
an experiment has for all its hosts."""
MAX_SURGE = "25%"
"""A thousand nodes change in four waves."""
_NAME_DIGITS = 10
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)")
_OWN = "PHOENIX_"


@dataclass(frozen=True)
class Want:
    """What one node shall run. marker: of the configuration that it shares, which names the group. revision: of the
    want; a higher one is a new try."""

    node: str
    host: str
    scope: str
    content_hash: str
    marker: str
    revision: int


@dataclass(frozen=True)
class Group:
    """Nodes that want the same. config: as their collectors are given it."""

    marker: str
    config: Mapping[str, Any]
    nodes: frozenset[str]
    revision: int


@dataclass(frozen=True)
class Sight:
    """The resources of a cluster as they were seen, by what they are for. selectors: node to the name by which
    resources name it."""

    pipelines: Sequence[PipelineSeen]
    selectors: Mapping[str, str] = field(default_factory=dict)
    ready: Collection[str] = ()
    """Nodes that are up."""
    cluster: str = ""
    """Its name: new resources of two registrations of one cluster never have the same."""

    def living(self) -> list[PipelineSeen]:
        """Those that are not being deleted."""
        return [one for one in self.pipelines if not one.deleting]

    def names(self, one: PipelineSeen, node: str) -> bool:
        """Whether a resource names a node."""
        return self.selectors.get(node, node) in self._named[one.name]

    def status(self, one: PipelineSeen, node: str) -> NodeStatus | None:
        """What a resource says of a node, None for nothing. A status lists a thousand nodes, those that are not ready
        first: where its counts say that all the others are ready, so is each of them."""
        found = self._said[one.name].get(node)
        if found is None and self._rest_is_ready[one.name] and self.names(one, node):
            return NodeStatus(node=node, state=NodeState.READY, config_hash=one.status.applied_config_hash)
        return found

    @cached_property
    def _named(self) -> dict[str, frozenset[str]]:
        return {one.name: frozenset(one.spec.node_names) for one in self.pipelines}

    @cached_property
    def _said(self) -> dict[str, dict[str, NodeStatus]]:
        return {one.name: {said.node: said for said in one.status.nodes} for one in self.pipelines}

    @cached_property
    def _rest_is_ready(self) -> dict[str, bool]:
        return {one.name: _rest_is_ready(one.status) for one in self.pipelines}

    @cached_property
    def markers(self) -> dict[str, str]:
        """Name of each resource to the marker that it asks for."""
        return {one.name: marker_in(one) for one in self.pipelines}


def _rest_is_ready(status: PhoenixProcessPipelineStatus) -> bool:
    rest = status.desired_nodes - len(status.nodes)
    listed = sum(node.state is NodeState.READY for node in status.nodes)
    return rest > 0 and len(status.nodes) >= NODES_SHOWN and status.ready_nodes == listed + rest


def marker_in(one: PipelineSeen) -> str:
    """The marker of the configuration that a resource asks for, "" when it is none of ours."""
    return find_marker(one.spec.config or {}) or ""


def arrange(groups: Sequence[Group], sight: Sight) -> tuple[PipelineWanted, ...]:
    """The resources that the cluster shall have, in order of name."""
    places = _places(groups, sight)
    by_marker = {group.marker: group for group in groups}
    wants = {node: group.marker for group in groups for node in group.nodes}
    seen = {one.name: one for one in sight.living()}
    found: list[PipelineWanted] = []
    for marker, name in places.items():
        group, before = by_marker[marker], seen.get(name)
        same = before if before is not None and marker_in(before) == marker else None
        staying = _leaving(same, wants, places, sight) if same else frozenset()
        found.append(PipelineWanted(name=name, spec=_spec(group, staying, same, sight)))
    for name in sorted(set(seen) - set(places.values())):
        staying = _leaving(seen[name], wants, places, sight)
        if staying:
            nodes = tuple(sorted(sight.selectors.get(node, node) for node in staying))
            spec = seen[name].spec
            # Without a change while it drains: another list of nodes would start all its collectors anew.
            spec = spec if set(nodes) <= set(spec.node_names) else spec.model_copy(update={"node_names": nodes})
            found.append(PipelineWanted(name=name, spec=spec))
    return tuple(sorted(found, key=lambda one: one.name))


def _places(groups: Sequence[Group], sight: Sight) -> dict[str, str]:
    """Marker of each group to the name of its resource."""
    living = sight.living()
    wanting = frozenset().union(*(group.nodes for group in groups))
    used: dict[str, str] = {}
    taken = {one.name for one in sight.pipelines}
    free = {one.name: one for one in living}
    ordered = sorted(groups, key=lambda group: (-len(group.nodes), group.marker))
    for group in ordered:  # what runs the very same goes on
        same = [one for one in free.values() if sight.markers[one.name] == group.marker]
        if same:
            best = max(same, key=lambda one: (_in_common(one, group.nodes, sight), one.name))
            used[group.marker] = best.name
            del free[best.name]
    for group in ordered:  # what all its nodes leave together is changed in place
        if group.marker in used:
            continue
        whole = [one for one in free.values() if _moves_whole(one, group, wanting, sight)]
        if whole:
            best = max(whole, key=lambda one: (_in_common(one, group.nodes, sight), one.name))
            used[group.marker] = best.name
            del free[best.name]
        else:
            used[group.marker] = name = _new_name(f"{sight.cluster}/{group.marker}", taken)
            taken.add(name)
    return used


def _in_common(one: PipelineSeen, nodes: Collection[str], sight: Sight) -> int:
    return sum(sight.names(one, node) for node in nodes)


def _moves_whole(one: PipelineSeen, group: Group, wanting: Collection[str], sight: Sight) -> bool:
    """Whether the nodes of a resource that want anything all want this group."""
    mine = _in_common(one, group.nodes, sight)
    return mine > 0 and _in_common(one, wanting, sight) == mine


def _new_name(of: str, taken: Collection[str]) -> str:
    for again in range(len(taken) + 1):
        digits = hashlib.sha256(f"{of}/{again}".encode()).hexdigest()[:_NAME_DIGITS]
        if (name := f"phoenix-{digits}") not in taken:
            return name
    raise AssertionError("one of more names than are taken is free")


def _leaving(one: PipelineSeen, wants: Mapping[str, str], places: Mapping[str, str], sight: Sight) -> frozenset[str]:
    """The nodes that must still be in a resource though they want another: all that leave it, until the last of them
    has arrived (each change of the list starts its collectors anew). A node that is down keeps nobody waiting."""
    marker = sight.markers[one.name]
    off = {node for node, other in wants.items() if other != marker and sight.names(one, node)}
    seen = {other.name: other for other in sight.living()}
    waiting = {
        node
        for node in off
        if node in sight.ready and not _arrived(sight, seen.get(places[wants[node]]), node, wants[node])
    }
    return frozenset(off) if waiting else frozenset()


def _arrived(sight: Sight, there: PipelineSeen | None, node: str, marker: str) -> bool:
    if there is None or sight.markers[there.name] != marker or there.status.observed_generation < there.generation:
        return False
    found = sight.status(there, node)
    if found is None:
        return bool(there.status.config_hash) and there.status.active_config_hash == there.status.config_hash
    return found.state is NodeState.READY and found.config_hash == there.status.config_hash


def _spec(
    group: Group, staying: Collection[str], before: PipelineSeen | None, sight: Sight
) -> PhoenixProcessPipelineSpec:
    nodes = {sight.selectors.get(node, node) for node in (*group.nodes, *staying)}
    return PhoenixProcessPipelineSpec(
        config=dict(group.config),
        kpi=KpiTarget(secret_ref=SecretRef(name=TOKEN_SECRET)),
        environment=(SecretRef(name=ENVIRONMENT_SECRET),) if _refers(group.config) else (),
        node_names=tuple(sorted(nodes)),
        rollout=RolloutPolicy(max_surge=MAX_SURGE, progress_deadline=PROGRESS_S),
        revision=max(group.revision, before.spec.revision if before else 0),
    )


def _refers(config: Mapping[str, Any]) -> bool:
    """Whether it needs more of its environment than every collector is given."""
    names = set(_REFERENCE.findall(json.dumps(config)))
    return any(not name.startswith(_OWN) for name in names)
