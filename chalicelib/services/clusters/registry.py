"""Clusters: let them in, show, test, rotate, remove them. Credentials go to the port Secrets alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import Field

from chalicelib.domain.access import Role
from chalicelib.domain.cluster.cluster import (
    CLUSTER_NAME,
    Cluster,
    ClusterMode,
    ClusterView,
    Credentials,
    Eks,
    Namespace,
    Server,
)
from chalicelib.domain.errors import Conflict, InvalidInput, PhoenixError, Problem, Rejected
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.domain.kubernetes.resource import LabelKey, LabelValue, selector_of
from chalicelib.domain.model import Value
from chalicelib.ports.clusters import ClusterApi, ClusterApis, Right
from chalicelib.ports.items import ABSENT, Write
from chalicelib.ports.secrets import Secrets
from chalicelib.repositories.documents import Stored
from chalicelib.services.clusters.nodes import Nodes
from chalicelib.services.context import Context, retrying
from chalicelib.services.tokens import Tokens

MAX_RETIRING = 8
SILENT_S = 120.0
"""Seconds without a call of a cluster that calls every 30."""


class Registration(Value):
    """A cluster to let in. Push: by `eks`, or by `server` and `credentials`. Pull: none of them."""

    name: str = Field(pattern=CLUSTER_NAME)
    mode: ClusterMode = ClusterMode.PUSH
    eks: Eks | None = None
    server: Server | None = None
    credentials: Credentials | None = None
    namespace: Namespace = "phoenix"
    """Where Phoenix's resources live."""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=16)
    """Of every host that is one of its nodes."""


@dataclass(frozen=True)
class Tested:
    """What a test call found. rights: none for a cluster in pull mode."""

    version: str
    rights: tuple[Right, ...] = ()
    problem: str = ""
    hint: str = ""


class Clusters:
    """The registered clusters of each tenant."""

    def __init__(self, context: Context, apis: ClusterApis, secrets: Secrets, tokens: Tokens, nodes: Nodes) -> None:
        self._context, self._records = context, context.records
        self._apis, self._secrets, self._tokens, self._nodes = apis, secrets, tokens, nodes

    def register(self, tenant: str, wanted: Registration, actor: str) -> tuple[Cluster, str]:
        """The cluster and its own token, shown this once. A cluster in push mode is called first. Raises Conflict,
        InvalidInput, NotFound (no such EKS cluster), NotAllowed, Rejected (rights are missing), Unavailable."""
        _check(wanted)
        if self._records.clusters.find(tenant, wanted.name):
            raise Conflict(
                f"cluster {wanted.name!r} is registered already",
                hint=f"phoenix cluster rotate {wanted.name}, or remove it first",
            )
        self._refuse_second_name(tenant, wanted)
        now = self._context.clock.now()
        made = Cluster(
            **wanted.model_dump(exclude={"credentials"}), registered_at=now, registered_by=actor, token_id=""
        )
        if made.mode is ClusterMode.PUSH:
            self._check_rights(self._apis.of(made, wanted.credentials))
            self._keep(tenant, made, wanted.credentials)
        token, secret = self._tokens.issue(tenant, Role.CLUSTER, made.name, actor)
        made = made.model_copy(update={"token_id": token.id})
        detail = {"mode": made.mode.value, "namespace": made.namespace}
        entry = self._records.audit.entry(
            tenant, f"cluster:{made.name}", at=now, actor=actor, action="register", detail=detail
        )
        write = self._records.clusters.write(tenant, made, ABSENT)
        self._records.store.transact([write, entry], token=f"cluster-{token.id}")
        return made, secret

    def _refuse_second_name(self, tenant: str, wanted: Registration) -> None:
        """Two registrations of one place would run two collectors on each node. Raises Conflict."""
        cursor: str | None = None
        while wanted.mode is ClusterMode.PUSH:
            known, cursor = self.page(tenant, 500, cursor)
            for one in known:
                if _place(one) == _place(wanted):
                    hint = (
                        f"use that one, or give another --namespace; new credentials: phoenix cluster rotate {one.name}"
                    )
                    raise Conflict(f"this cluster and namespace are registered already, as {one.name!r}", hint=hint)
            if cursor is None:
                return

    def get(self, tenant: str, name: str) -> Cluster:
        """Raises NotFound."""
        return self._records.clusters.get(tenant, name).value

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Cluster], str | None]:
        """Clusters in order of name."""
        found, after = self._records.clusters.page(tenant, limit, cursor)
        return [stored.value for stored in found], after

    def view(self, tenant: str, name: str) -> ClusterView:
        """How it looked last; without nodes before the first look."""
        found = self._records.cluster_views.find(tenant, name)
        return found.value if found else ClusterView(cluster=name)

    def test(self, tenant: str, name: str) -> Tested:
        """Call it now. A cluster that cannot be called says why; raises NotFound for one that is not registered."""
        cluster = self.get(tenant, name)
        if cluster.mode is ClusterMode.PULL:
            problem, hint = _unheard(cluster, self._context.clock.now())
            return Tested(cluster.versions.kubernetes, (), problem, hint)
        try:
            api = self._apis.of(cluster, self.credentials(tenant, cluster))
            return Tested(api.version(), api.review())
        except PhoenixError as error:
            return Tested("", (), error.detail, error.hint)

    def rotate(
        self, tenant: str, name: str, credentials: Credentials | None, actor: str, *, at_once: bool = False
    ) -> tuple[Cluster, str]:
        """New credentials for calling it (None: as before), and a new token of its own, shown this once. The old token
        is good until the new one is used, or at_once no more. Raises as `register`."""
        cluster = self.get(tenant, name)
        if credentials is not None:
            if cluster.server is None:
                raise InvalidInput(f"cluster {name!r} needs no credentials: it is on EKS or in pull mode")
            self._check_rights(self._apis.of(cluster, credentials))
        token, secret = self._tokens.issue(tenant, Role.CLUSTER, name, actor)
        old: list[str] = []

        def attempt() -> Cluster:
            stored = self._records.clusters.get(tenant, name)
            before = stored.value
            waiting = (*before.retiring, before.token_id)
            old[:] = waiting if at_once else waiting[:-MAX_RETIRING]
            update = {
                "token_id": token.id,
                "retiring": () if at_once else waiting[-MAX_RETIRING:],
                "credential_version": before.credential_version + (credentials is not None),
                "next_look": 0.0,
            }
            after = before.model_copy(update=update)
            if credentials is not None:
                self._keep(tenant, after, credentials)
            now = self._context.clock.now()
            entry = self._records.audit.entry(
                tenant, f"cluster:{name}", at=now, actor=actor, action="rotate", detail={"atOnce": at_once}
            )
            write = self._records.clusters.write(tenant, after, stored.version)
            self._records.store.transact([write, entry], token=f"rotate-{self._context.entropy.uid()}")
            if credentials is not None:
                self._secrets.delete(f"{tenant}/{before.secret_name}")
            return after

        after = retrying(attempt)
        for each in old:
            self._tokens.revoke(tenant, each, actor)
        return after, secret

    def remove(self, tenant: str, name: str, actor: str, *, force: bool = False) -> str:
        """Delete what is there, forget its hosts and credentials. What is left there because it cannot be reached, in
        words; "" for nothing. Raises NotFound, Conflict while something holds one of its hosts, unless forced."""
        known = self._nodes.known(tenant, name)
        hosts = [host for host, stored in known.items() if stored.value.cluster == name]
        cluster = self.get(tenant, name)
        held = self._nodes.held(tenant, hosts)
        if held and not force:
            some = "; ".join(f"host {host} is held by {who}" for host, who in sorted(held.items())[:5])
            raise Conflict(f"cluster {name!r} is in use: {some}", hint="end these first, or insist with --force")
        cluster = self._leaving(tenant, name)
        left = self._clear(tenant, cluster)
        self._nodes.forget(tenant, hosts, actor)
        if cluster.server is not None:
            self._secrets.delete(f"{tenant}/{cluster.secret_name}")
        for token in (*cluster.retiring, cluster.token_id):
            self._tokens.revoke(tenant, token, actor)
        now = self._context.clock.now()
        entry = self._records.audit.entry(tenant, f"cluster:{name}", at=now, actor=actor, action="remove")
        writes: list[Write] = [
            self._records.clusters.removal(tenant, name),
            *self._records.cluster_views.removals(tenant, name),
            entry,
        ]
        self._records.store.transact(writes, token=f"remove-{cluster.token_id}-{self._context.entropy.uid()}")
        return left

    def credentials(self, tenant: str, cluster: Cluster) -> Credentials | None:
        """What signs in there; None where nothing is kept."""
        if cluster.server is None:
            return None
        text = self._secrets.get(f"{tenant}/{cluster.secret_name}")
        return Credentials.model_validate_json(text) if text is not None else None

    def _leaving(self, tenant: str, name: str) -> Cluster:
        def attempt() -> Stored[Cluster]:
            stored = self._records.clusters.get(tenant, name)
            gone = stored.value.model_copy(update={"removing": True})
            return self._records.clusters.save(tenant, gone, stored.version)

        return retrying(attempt).value

    def _clear(self, tenant: str, cluster: Cluster) -> str:
        """Delete our resources there."""
        way = f"kubectl -n {cluster.namespace} delete phxpipe,lsj -l {selector_of(cluster.name)}"
        if cluster.mode is ClusterMode.PULL:
            return f"its collectors go on until this is run there: {way}"
        try:
            api = self._apis.of(cluster, self.credentials(tenant, cluster))
            api.carry_out(api.look(), ClusterOrders())
            return ""
        except PhoenixError as error:
            return f"its collectors go on, because {error.detail}; run there: {way}"

    def _keep(self, tenant: str, cluster: Cluster, credentials: Credentials | None) -> None:
        if credentials is not None:
            plain = {
                name: value.get_secret_value()
                for name in Credentials.model_fields
                if (value := getattr(credentials, name)) is not None
            }
            self._secrets.put(f"{tenant}/{cluster.secret_name}", json.dumps(plain))

    def _check_rights(self, api: ClusterApi) -> None:
        api.version()
        missing = [right for right in api.review() if not right.allowed]
        if missing:
            fix = "apply what phoenix cluster manifest prints, and use the ServiceAccount that it makes"
            problems = tuple(Problem("/credentials", f"may not {right.what}") for right in missing)
            what = ", ".join(right.what for right in missing)
            raise Rejected(f"these credentials lack rights: {what}", problems=problems, hint=fix)


def _place(one: Cluster | Registration) -> tuple[str, str, str] | None:
    """Where Phoenix's resources live; None where the control plane does not know."""
    if one.eks is not None:
        return one.eks.region, one.eks.cluster_name, one.namespace
    return (one.server.url.rstrip("/").removesuffix(":443"), "", one.namespace) if one.server is not None else None


def _unheard(cluster: Cluster, now: float) -> tuple[str, str]:
    """What is wrong with a cluster that calls, and what to do; nothing where it called a moment ago."""
    if cluster.last_seen is None and cluster.unreachable_since is None:
        return "its operator has not called yet", f"apply what phoenix cluster manifest {cluster.name} --pull prints"
    if cluster.unreachable_since is not None:
        return cluster.unreachable_why, ""
    ago = now - (cluster.last_seen or 0.0)
    if ago <= SILENT_S:
        return "", ""
    return f"its operator has not called for {ago:.0f} s", "see its log: kubectl logs -l app.kubernetes.io/name=phoenix"


def _check(wanted: Registration) -> None:
    """Raises InvalidInput when mode and ways to reach it do not fit."""
    ways = [way for way in (wanted.eks, wanted.server) if way is not None]
    if wanted.mode is ClusterMode.PULL and (ways or wanted.credentials):
        fix = "leave eks, server and credentials out"
        raise InvalidInput(
            "a cluster in pull mode is never called", problems=(Problem("/mode", "pull needs no way to reach it", fix),)
        )
    if wanted.mode is ClusterMode.PUSH and len(ways) != 1:
        fix = "give eks, or server and credentials; or mode pull"
        raise InvalidInput("how is it reached?", problems=(Problem("/server", "exactly one of eks and server", fix),))
    if (wanted.server is not None) != (wanted.credentials is not None):
        fix = "give a token, or a client certificate and its key; none with eks"
        raise InvalidInput("server and credentials go together", problems=(Problem("/credentials", "missing", fix),))
