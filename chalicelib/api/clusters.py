"""Clusters: register, list, show, test, rotate, remove; and the exchange that the operator in a cluster begins."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.cluster.cluster import Cluster, ClusterMode, Credentials, Eks, NodeView, Versions
from chalicelib.domain.errors import Conflict, NotFound, Rejected, Unavailable
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.domain.kubernetes.packing import PackedSeen
from chalicelib.services.clusters.registry import Registration, Tested
from chalicelib.services.services import Services


class ClusterAnswer(Model):
    """A registered cluster, without any credential."""

    name: str
    mode: ClusterMode
    server: str
    """URL of its API; "" for EKS and in pull mode."""
    context: str
    """Of the kubeconfig that it was taken from."""
    eks: Eks | None
    namespace: str
    labels: dict[str, str]
    registered_at: float
    registered_by: str
    versions: Versions
    last_seen: float | None
    """Unix seconds; None: never."""
    unreachable_since: float | None
    unreachable_why: str
    next_look: float | None
    """Push: when it is looked at again."""
    retiring_tokens: int
    """Old tokens that are good until the new one is used."""


class ClusterDetail(ClusterAnswer):
    """The same with its nodes, as they were seen last."""

    nodes: list[NodeView]
    resources: list[str]
    """Names of the PhoenixProcessPipelines there."""
    problems: list[str]


class ClusterToken(Model):
    """A cluster and its own token, shown this once."""

    cluster: ClusterAnswer
    token: str


class RightAnswer(Model):
    """Something that the control plane does there, and whether it may."""

    what: str
    allowed: bool


class TestAnswer(Model):
    """What a call found."""

    reached: bool
    version: str
    rights: list[RightAnswer]
    problem: str
    hint: str


class Rotation(Model):
    """New credentials, where it is called with some, and a new token of its own."""

    credentials: Credentials | None = None
    at_once: bool = False
    """Revoke the old token now, instead of when the new one is used."""


class RemovalQuery(Model):
    """How to remove."""

    force: bool = False
    """Though experiments or deployments hold its nodes."""


class Removed(Model):
    """What is left in a cluster that was removed."""

    left: str = Field(description='What goes on there, and how to end it; "" for nothing.')


def _answer(cluster: Cluster) -> dict[str, object]:
    same = ("name", "mode", "eks", "namespace", "labels", "registered_at", "registered_by", "versions", "last_seen")
    return {
        **{name: getattr(cluster, name) for name in same},
        "server": cluster.server.url if cluster.server else "",
        "context": cluster.server.context if cluster.server else "",
        "unreachable_since": cluster.unreachable_since,
        "unreachable_why": cluster.unreachable_why,
        "next_look": cluster.next_look if cluster.mode is ClusterMode.PUSH else None,
        "retiring_tokens": len(cluster.retiring),
    }


def _tested(found: Tested) -> TestAnswer:
    rights = [RightAnswer(what=right.what, allowed=right.allowed) for right in found.rights]
    return TestAnswer(
        reached=not found.problem, version=found.version, rights=rights, problem=found.problem, hint=found.hint
    )


def routes(services: Services) -> tuple[Route, ...]:
    clusters = services.clusters

    def register(request: Request) -> ClusterToken:
        who = request.principal
        made, token = clusters.register(who.tenant, request.body, who.subject)
        return ClusterToken(cluster=ClusterAnswer(**_answer(made)), token=token)

    def listing(request: Request) -> PageOf[ClusterAnswer]:
        found, cursor = clusters.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[ClusterAnswer](items=[ClusterAnswer(**_answer(one)) for one in found], next_cursor=cursor)

    def show(request: Request) -> ClusterDetail:
        tenant, name = request.principal.tenant, request.params["cluster"]
        found, view = clusters.get(tenant, name), clusters.view(tenant, name)
        return ClusterDetail(
            **_answer(found), nodes=list(view.nodes), resources=list(view.resources), problems=list(view.problems)
        )

    def test(request: Request) -> TestAnswer:
        return _tested(clusters.test(request.principal.tenant, request.params["cluster"]))

    def rotate(request: Request) -> ClusterToken:
        who, body = request.principal, request.body
        name = request.params["cluster"]
        after, token = clusters.rotate(who.tenant, name, body.credentials, who.subject, at_once=body.at_once)
        return ClusterToken(cluster=ClusterAnswer(**_answer(after)), token=token)

    def remove(request: Request) -> Removed:
        who = request.principal
        left = clusters.remove(who.tenant, request.params["cluster"], who.subject, force=request.query.force)
        return Removed(left=left)

    def exchange(request: Request) -> ClusterOrders:
        return services.cluster_exchange.pulled(request.principal, request.params["cluster"], request.body.seen)

    path, one = "/api/v1/clusters", "/api/v1/clusters/{cluster}"
    refusals = (Conflict, NotFound, Rejected, Unavailable)
    return (
        Route(
            "POST",
            path,
            Role.ADMIN,
            register,
            "Register a cluster",
            request=Registration,
            response=ClusterToken,
            status=201,
            errors=refusals,
        ),
        Route("GET", path, Role.VIEWER, listing, "List clusters", response=PageOf[ClusterAnswer], query=PageQuery),
        Route("GET", one, Role.VIEWER, show, "Show a cluster", response=ClusterDetail, errors=(NotFound,)),
        Route(
            "POST", one + "/test", Role.OPERATOR, test, "Call a cluster now", response=TestAnswer, errors=(NotFound,)
        ),
        Route(
            "POST",
            one + "/rotate",
            Role.ADMIN,
            rotate,
            "New credentials and a new token",
            request=Rotation,
            response=ClusterToken,
            errors=refusals,
        ),
        Route(
            "DELETE",
            one,
            Role.ADMIN,
            remove,
            "Remove a cluster",
            response=Removed,
            query=RemovalQuery,
            errors=(NotFound, Conflict),
        ),
        Route(
            "POST",
            one + "/exchange",
            Role.CLUSTER,
            exchange,
            "What a cluster sees, for what it shall have",
            request=PackedSeen,
            response=ClusterOrders,
            own="cluster",
            errors=(NotFound, Conflict, Rejected),
        ),
    )
