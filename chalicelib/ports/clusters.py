"""A Kubernetes cluster as the control plane calls it: look, make it so, and what it may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.cluster.cluster import Cluster, Credentials
from chalicelib.domain.kubernetes.exchange import ClusterOrders, ClusterSeen


@dataclass(frozen=True)
class Right:
    """One thing the control plane does in a cluster, and whether it may. group "": the core."""

    verb: str
    resource: str
    group: str = ""
    namespaced: bool = True
    allowed: bool = False

    @property
    def what(self) -> str:
        """As people say it: "patch phoenixprocesspipelines.phoenix.io"."""
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


class ClusterApi(Protocol):
    """Every call has a deadline and is made once. Raises Unavailable (not reached, not in time, 429, 5xx), NotAllowed
    (401, 403), InvalidInput (anything else, with the server's own words), Conflict (409). No message holds a
    credential."""

    def version(self) -> str:
        """Of Kubernetes, such as v1.34.2."""

    def review(self) -> tuple[Right, ...]:
        """Each right that is needed, and whether it is there. Raises NotFound when Phoenix's resource definitions are
        not installed."""

    def look(self) -> ClusterSeen:
        """All nodes, and the resources that the control plane made."""

    def carry_out(self, seen: ClusterSeen, orders: ClusterOrders) -> None:
        """Make it so by server-side apply: what differs from `seen` is applied, what is ours and not named deleted."""


class ClusterApis(Protocol):
    """Clusters by their registration."""

    def of(self, cluster: Cluster, credentials: Credentials | None) -> ClusterApi:
        """credentials: None for a cluster that is asked of AWS. Nothing is called yet."""
