"""A registered cluster, as it is stored: how it is reached and when it was. No credential is ever part of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from chalicelib.domain.kubernetes.process_pipeline import NodeState
from chalicelib.domain.kubernetes.resource import LabelKey, LabelValue
from chalicelib.domain.model import Value

CLUSTER_NAME = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
"""As a DNS label of at most 40 characters: a host's name begins with it."""
CLUSTER_LABEL = "phoenix.io/cluster"
"""Label of hosts that are nodes: the cluster's name."""
Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
LOOK_EVERY_S = 30.0
"""Between two looks at a cluster with nothing pending."""
LOOK_SOON_S = 2.0
"""The same while something is pending."""
MAX_BACKOFF_S = 300.0
MAX_WHY = 500


class ClusterMode(StrEnum):
    """Who carries what passes between cluster and control plane."""

    PUSH = "push"
    """The control plane calls the cluster's API."""
    PULL = "pull"
    """The operator in the cluster calls the control plane."""


class Eks(Value):
    """A cluster of Amazon EKS: its address, CA and tokens are asked of AWS each time."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
    cluster_name: str = Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")


class Server(Value):
    """The cluster's API, where it is not asked of AWS."""

    url: str = Field(pattern=r"^https://[^\s/?#@]+(/[^\s?#@]*)?$", max_length=500)
    ca: str = Field(max_length=100_000, pattern=r"^-----BEGIN CERTIFICATE-----")
    """Certificates (PEM) that the server's own is checked with; nothing else is trusted."""
    tls_server_name: str = Field(default="", max_length=253)
    """Name in the server's certificate, where it is not the one in the URL."""
    context: str = Field(default="", max_length=300)
    """Of the kubeconfig that it was taken from, for people."""


class Credentials(Value):
    """What signs in at a cluster's API. Kept by the port Secrets alone, never in an item, a log or an answer."""

    token: SecretStr | None = Field(default=None, min_length=8, max_length=20_000)
    client_certificate: SecretStr | None = Field(default=None, max_length=100_000)
    """PEM."""
    client_key: SecretStr | None = Field(default=None, max_length=100_000)
    """PEM."""

    @model_validator(mode="after")
    def _one_kind(self) -> Credentials:
        pair = self.client_certificate is not None, self.client_key is not None
        if pair[0] != pair[1]:
            raise ValueError("a client certificate needs its key, and a key its certificate")
        if (self.token is not None) == pair[0]:
            raise ValueError("give either a token or a client certificate with its key")
        return self


class Versions(Value):
    """What runs there, as it said itself."""

    kubernetes: str = Field(default="", max_length=64)
    operator: str = Field(default="", max_length=64)
    collector_image: str = Field(default="", max_length=512)


class Cluster(Value):
    """A registered cluster. Times are Unix seconds."""

    name: str = Field(pattern=CLUSTER_NAME)
    mode: ClusterMode
    eks: Eks | None = None
    server: Server | None = None
    """Both are None in pull mode."""
    namespace: Namespace = "phoenix"
    """Where Phoenix's resources live."""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=16)
    """Of every host that is one of its nodes."""
    registered_at: float
    registered_by: str
    token_id: str
    """Of the cluster's own token, with which its nodes send measurements."""
    retiring: tuple[str, ...] = Field(default=(), max_length=8)
    """Ids of tokens that are revoked as soon as the present one was used."""
    credential_version: int = Field(default=1, ge=1)
    """Counts rotations: each has a secret of its own, so that no half-written one is ever used."""
    removing: bool = False
    """Nothing is wanted there any more, and no look makes hosts of its nodes."""
    versions: Versions = Versions()
    last_seen: float | None = None
    unreachable_since: float | None = None
    """None while it is reached."""
    unreachable_why: str = Field(default="", max_length=MAX_WHY)
    failures: int = Field(default=0, ge=0)
    """Looks in a row that failed."""
    next_look: float = 0.0
    """Push: when it is looked at again."""

    @property
    def secret_name(self) -> str:
        """Under which its credentials are kept."""
        return f"cluster-{self.name}-{self.credential_version}"


class NodeView(Value):
    """One node, for people."""

    node: str
    host: str
    ready: bool
    resource: str = ""
    """The PhoenixProcessPipeline that names it; "" for none."""
    state: NodeState | None = None
    """None: nothing was said of it."""
    message: str = ""


class ClusterView(Value):
    """How a cluster looked last. Kept apart: it grows with the nodes."""

    cluster: str
    nodes: tuple[NodeView, ...] = ()
    resources: tuple[str, ...] = ()
    """Names of what the control plane has there."""
    problems: tuple[str, ...] = ()
    """What keeps a node from being a host, or a look from being whole."""


def backoff(failures: int, chance: float) -> float:
    """Seconds until the next try after so many failures in a row: doubled each time, at most five minutes, and by
    chance (0 to 1) up to a quarter less, so that clusters lost together are not asked together."""
    full = min(MAX_BACKOFF_S, LOOK_SOON_S * 2.0 ** min(failures, 12))
    return full * (1 - 0.25 * chance)


def reached(cluster: Cluster, versions: Versions, now: float, again: float) -> Cluster:
    """The cluster after a look that went well. again: seconds until the next."""
    return cluster.model_copy(
        update={
            "versions": versions,
            "last_seen": now,
            "unreachable_since": None,
            "unreachable_why": "",
            "failures": 0,
            "next_look": now + again,
        }
    )


def lost(cluster: Cluster, why: str, now: float, chance: float) -> Cluster:
    """The cluster after a look that failed. What is wanted there stays wanted."""
    failures = cluster.failures + 1
    return cluster.model_copy(
        update={
            "unreachable_since": cluster.unreachable_since if cluster.unreachable_since is not None else now,
            "unreachable_why": why[:MAX_WHY],
            "failures": failures,
            "next_look": now + backoff(failures, chance),
        }
    )
