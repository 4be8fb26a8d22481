"""Why hosts are away that are nodes: their cluster is not reached, and since when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from chalicelib.services.context import Context


class Absence:
    """Only reads."""

    def __init__(self, context: Context) -> None:
        self._records = context.records

    def __call__(self, tenant: str, hosts: Collection[str]) -> dict[str, str]:
        """Those of these hosts whose cluster is not reached, and why, in a sentence."""
        if not hosts:
            return {}
        found = self._records.hosts.several(tenant, hosts)
        of = {name: stored.value.cluster for name, stored in found.items() if stored.value.cluster}
        why = {cluster: self._why(tenant, cluster) for cluster in sorted(set(of.values()))}
        return {host: why[cluster] for host, cluster in of.items() if why[cluster]}

    def _why(self, tenant: str, name: str) -> str:
        stored = self._records.clusters.find(tenant, name)
        if stored is None or stored.value.unreachable_since is None:
            return ""
        since = datetime.fromtimestamp(stored.value.unreachable_since, UTC).isoformat(timespec="seconds")
        return f"cluster {name} is unreachable since {since}: {stored.value.unreachable_why}"
