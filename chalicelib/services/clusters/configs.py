"""The configurations that nodes share, found from what is wanted of each host. Few are read: hosts that want the same
differ in their names, which their hashes prove."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping

from chalicelib.domain.cluster.orders import Want
from chalicelib.domain.cluster.sharing import Shared, share, shared_marker
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.state import AgentState
from chalicelib.services.fleet.fleet import Fleet

REMEMBERED = 20_000
"""Hosts' configurations of which it is remembered what they share: what is stored under a hash never changes."""


class SharedConfigs:
    """Remembers in the process what it found; forgetting costs reads, never truth."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._known: OrderedDict[tuple[str, str, str], Shared] = OrderedDict()

    def wants(
        self, tenant: str, nodes: Mapping[str, str], states: Mapping[str, AgentState]
    ) -> tuple[dict[str, Want], dict[str, Shared]]:
        """nodes: host to node's name. What each host wants (idle ones are left out), and the shared configuration of
        each marker."""
        bases: dict[str, list[Shared]] = defaultdict(list)
        wants: dict[str, Want] = {}
        shared: dict[str, Shared] = {}
        for host in sorted(nodes):
            wanted = states[host].desired if host in states else None
            if wanted is None or wanted.content_hash == IDLE_HASH or wanted.failed_at is not None:
                continue
            one = self._shared(tenant, host, wanted.content_hash, bases[wanted.scope])
            marker = shared_marker(one, wanted.scope)
            shared[marker] = one
            wants[host] = Want(
                node=nodes[host],
                host=host,
                scope=wanted.scope,
                content_hash=wanted.content_hash,
                marker=marker,
                revision=wanted.revision,
            )
        return wants, shared

    def _shared(self, tenant: str, host: str, content: str, bases: list[Shared]) -> Shared:
        """bases: those found for the same scope already."""
        key = (tenant, host, content)
        found = self._known.get(key)
        if found is None:
            found = next((base for base in bases if base.is_of(host, content)), None)
        if found is None:
            found = share(self._fleet.config(tenant, content), host)
        if found not in bases:
            bases.append(found)
        self._known[key] = found
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found
