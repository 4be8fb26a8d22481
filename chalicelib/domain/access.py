"""Who may do what, decided in one pure function. Routes declare what they need; nothing else decides.

Token format: `phx_` and 43 URL-safe characters (256 random bits), shown once and stored as SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from chalicelib.domain.errors import NotAllowed, NotAuthenticated
from chalicelib.domain.model import Value

DEFAULT_TENANT = "default"
TOKEN_PREFIX = "phx_"


class Role(StrEnum):
    """viewer < operator < admin for people and automation; host and cluster stand apart and reach only their own."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    HOST = "host"
    CLUSTER = "cluster"
    SENDER = "sender"
    """What a route needs that a host and a cluster may call alike, each for its own. No token has it."""


_RANK = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


class Public(StrEnum):
    """The only alternative to a role: a route that needs no credential, with the reason beside it."""

    HEALTH = "health: load balancers and `phoenix status` ask before they have a token"
    ENROLMENT = "enrolment: the one-time token in the body is the credential"


@dataclass(frozen=True)
class Principal:
    """Who is calling. subject: name of the token, or of the host or cluster for the roles of that name."""

    tenant: str
    role: Role
    subject: str
    token_id: str


class Token(Value):
    """A stored token; the secret itself is never here."""

    id: str
    tenant: str = DEFAULT_TENANT
    role: Role
    subject: str = Field(max_length=63)
    digest: str
    created_at: float
    created_by: str
    expires_at: float | None = None
    revoked_at: float | None = None


def digest(secret: str) -> str:
    """SHA-256 of a token, hexadecimal. A fast hash is right: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(token: Token | None, now: float) -> Principal:
    """The caller behind a stored token. Raises NotAuthenticated when it is unknown, revoked or expired."""
    if token is None:
        raise NotAuthenticated("unknown token", hint="log in again, or ask an admin for a token")
    if token.revoked_at is not None:
        raise NotAuthenticated("this token was revoked", hint="ask an admin for a new token")
    if token.expires_at is not None and token.expires_at <= now:
        raise NotAuthenticated("this token has expired", hint="ask an admin for a new token")
    return Principal(token.tenant, token.role, token.subject, token.id)


_OWN = {
    Role.HOST: ((Role.HOST,), "only a host's own token may do this", "enrol the host: phoenix host enrol"),
    Role.CLUSTER: (
        (Role.CLUSTER,),
        "only a cluster's own token may do this",
        "register the cluster: phoenix cluster register",
    ),
    Role.SENDER: (
        (Role.HOST, Role.CLUSTER),
        "only a host's or a cluster's own token may do this",
        "enrol the host: phoenix host enrol",
    ),
}


def authorise(principal: Principal, needed: Role, own: str | None = None) -> None:
    """Raises NotAllowed unless the principal may use a route that needs `needed`.

    own: the host or cluster that a HOST or CLUSTER route is about, or None when the route names none.
    """
    if needed in _OWN:
        roles, refusal, hint = _OWN[needed]
        if principal.role not in roles:
            raise NotAllowed(refusal, hint=hint)
        if own is not None and own != principal.subject:
            raise NotAllowed(f"this token belongs to {principal.role.value} {principal.subject!r}, not to {own!r}")
        return
    if _RANK.get(principal.role, 0) < _RANK[needed]:
        raise NotAllowed(
            f"this needs the role {needed.value}; the token has {principal.role.value}",
            hint="use a token with a higher role",
        )
