"""Agents as they are stored, with when they were heard of last. A node is heard of with its whole cluster: while it is
there, that is kept once for all of them, and not of each at every look. Only reads."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.repositories.documents import Stored
from chalicelib.repositories.records import AgentRecord, Records


class Presence:
    """Reads agents."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def find(self, tenant: str, agent: str) -> Stored[AgentRecord] | None:
        """One agent, None for an unknown one."""
        return self.several(tenant, (agent,)).get(agent)

    def several(self, tenant: str, agents: Collection[str]) -> dict[str, Stored[AgentRecord]]:
        """Those of these agents that are known, in few requests."""
        found = self._records.agents.several(tenant, agents)
        clusters = {stored.value.state.through for stored in found.values()} - {""}
        heard = {name: self._heard(tenant, name) for name in sorted(clusters)}
        return {agent: _heard_through(stored, heard) for agent, stored in found.items()}

    def _heard(self, tenant: str, cluster: str) -> float:
        stored = self._records.clusters.find(tenant, cluster)
        return stored.value.last_seen or 0.0 if stored is not None else 0.0


def _heard_through(stored: Stored[AgentRecord], heard: dict[str, float]) -> Stored[AgentRecord]:
    state = stored.value.state
    at = heard.get(state.through, 0.0)
    if state.last_seen is None or at <= state.last_seen:
        return stored
    record = stored.value.model_copy(update={"state": state.model_copy(update={"last_seen": at})})
    return Stored(record, stored.version)
