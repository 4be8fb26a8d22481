"""The port ClusterApi on a connection: nodes and Phoenix's resources read page by page, orders applied server-side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from chalicelib.adapters.kubernetes.connection import Connection
from chalicelib.adapters.kubernetes.eks import connection_of
from chalicelib.domain.cluster.cluster import Cluster, Credentials, Eks, Server
from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from chalicelib.domain.kubernetes import load_job, process_pipeline
from chalicelib.domain.kubernetes.exchange import (
    ClusterOrders,
    ClusterSeen,
    LoadWanted,
    PipelineWanted,
    over_limits,
)
from chalicelib.domain.kubernetes.reading import load_seen, node_seen, pipeline_seen
from chalicelib.domain.kubernetes.resource import (
    API_VERSION,
    FIELD_MANAGER,
    GROUP,
    VERSION,
    labels_of,
    selector_of,
)
from chalicelib.domain.kubernetes.writing import spec_body
from chalicelib.ports.clusters import ClusterApi, Right

PAGE = 500
PAGES = 40
"""Pages read of one list at most: a server that never ends it is not read for ever."""
_KINDS = {process_pipeline.PLURAL: process_pipeline.KIND, load_job.PLURAL: load_job.KIND}
_VERBS = ("list", "get", "create", "patch", "delete")
RIGHTS = (
    Right("list", "nodes", namespaced=False),
    *(Right(verb, plural, GROUP) for plural in _KINDS for verb in _VERBS),
)
"""Everything the control plane does in a cluster."""
Connect = Callable[[Server, Credentials], Connection]


class KubernetesApis:
    """Clusters by their registration."""

    def __init__(
        self,
        connect: Connect = Connection,
        eks: Callable[[Eks], tuple[Server, Credentials]] = connection_of,
    ) -> None:
        self._connect, self._eks = connect, eks

    def of(self, cluster: Cluster, credentials: Credentials | None) -> ClusterApi:
        """See ClusterApis. A cluster of EKS is asked of AWS when it is first called."""

        def connection() -> Connection:
            if cluster.eks is not None:
                return self._connect(*self._eks(cluster.eks))
            if cluster.server is None:
                raise Conflict(f"cluster {cluster.name!r} is not called by the control plane: it is in pull mode")
            if credentials is None:
                raise Unavailable(
                    f"the credentials of cluster {cluster.name!r} are not kept here any more",
                    hint=f"give them again: phoenix cluster rotate {cluster.name}",
                )
            return self._connect(cluster.server, credentials)

        return KubernetesApi(connection, cluster.name, cluster.namespace)


class KubernetesApi:
    """One cluster. connection: made at the first call. name: under which it is registered."""

    def __init__(self, connection: Callable[[], Connection], name: str, namespace: str) -> None:
        self._make, self._namespace = connection, namespace
        self._labels, self._selector = labels_of(name), selector_of(name)
        self._made: Connection | None = None
        self._version = ""

    def version(self) -> str:
        """See ClusterApi."""
        self._version = self._version or str(self._connection.ask("GET", "/version").get("gitVersion", ""))[:64]
        return self._version

    def review(self) -> tuple[Right, ...]:
        """See ClusterApi."""
        try:
            self._connection.ask("GET", f"/apis/{GROUP}/{VERSION}")
        except NotFound as error:
            raise NotFound(
                f"the cluster does not know {API_VERSION}: Phoenix's resource definitions are not installed",
                hint="apply what phoenix cluster manifest prints, or install the Helm chart",
            ) from error
        return tuple(replace(right, allowed=self._may(right)) for right in RIGHTS)

    def _may(self, right: Right) -> bool:
        attributes = {"verb": right.verb, "resource": right.resource, "group": right.group}
        if right.namespaced:
            attributes["namespace"] = self._namespace
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self._connection.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
        return bool(answer.get("status", {}).get("allowed", False))

    def look(self) -> ClusterSeen:
        """See ClusterApi."""
        try:
            nodes = tuple(node_seen(item) for item in self._list("/api/v1/nodes"))
            pipelines = tuple(pipeline_seen(item) for item in self._ours(process_pipeline.PLURAL))
            loads = tuple(load_seen(item) for item in self._ours(load_job.PLURAL))
            if why := over_limits(len(nodes), len(pipelines), len(loads)):
                raise InvalidInput(why)
            return ClusterSeen(kubernetes_version=self.version(), nodes=nodes, pipelines=pipelines, loads=loads)
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(str(part) for part in first["loc"])
            raise InvalidInput(f"what the cluster says cannot be used: {where}: {first['msg']}"[:300]) from error

    def carry_out(self, seen: ClusterSeen, orders: ClusterOrders) -> None:
        """See ClusterApi. New things first: what is deleted may be what they replace."""
        taken = [
            *self._follow(process_pipeline.PLURAL, {one.name: one for one in seen.pipelines}, orders.pipelines),
            *self._follow(load_job.PLURAL, {one.name: one for one in seen.loads}, orders.loads),
        ]
        if taken:
            raise Conflict(
                f"{', '.join(taken)} in namespace {self._namespace}: the control plane wants this name and leaves what "
                "is there alone, because it did not make it for this registration: rename one of the two"
            )

    def _follow(
        self, plural: str, seen: Mapping[str, Any], wanted: tuple[PipelineWanted, ...] | tuple[LoadWanted, ...]
    ) -> list[str]:
        """Make it so. Returns what was left alone, because somebody else made it."""
        taken = []
        for one in wanted:
            if one.name not in seen and self._is_taken(plural, one.name):
                taken.append(f"{_KINDS[plural]} {one.name}")
            elif one.name not in seen or seen[one.name].spec != one.spec:
                self._apply(plural, one)
        for name in sorted(set(seen) - {one.name for one in wanted}):
            if not seen[name].deleting:
                self._delete(plural, name)
        return taken

    def _is_taken(self, plural: str, name: str) -> bool:
        try:
            found = self._connection.ask("GET", self._path(plural, name))
        except NotFound:
            return False
        return not self._labels.items() <= (found.get("metadata", {}).get("labels") or {}).items()

    def _apply(self, plural: str, one: PipelineWanted | LoadWanted) -> None:
        body = {
            "apiVersion": API_VERSION,
            "kind": _KINDS[plural],
            "metadata": {"name": one.name, "namespace": self._namespace, "labels": self._labels},
            "spec": spec_body(one.spec),
        }
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        self._connection.ask("PATCH", self._path(plural, one.name), query, body)

    def _delete(self, plural: str, name: str) -> None:
        try:
            self._connection.ask("DELETE", self._path(plural, name), {"propagationPolicy": "Background"})
        except NotFound:
            return

    def _ours(self, plural: str) -> Iterator[dict[str, Any]]:
        return self._list(self._path(plural), {"labelSelector": self._selector})

    def _list(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        more = ""
        for _ in range(PAGES):
            page = self._connection.ask(
                "GET", path, {"limit": str(PAGE), **(query or {})} | ({"continue": more} if more else {})
            )
            yield from page.get("items") or ()
            more = page.get("metadata", {}).get("continue") or ""
            if not more:
                return
        raise InvalidInput(f"the cluster has more than {PAGE * PAGES} of {path}")

    def _path(self, plural: str, name: str = "") -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self._namespace}/{plural}" + (f"/{name}" if name else "")

    @property
    def _connection(self) -> Connection:
        self._made = self._made or self._make()
        return self._made
