"""Tokens: issue, list, revoke. For admins."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role, Token
from chalicelib.domain.errors import NotFound
from chalicelib.domain.units import Seconds
from chalicelib.services.services import Services


class TokenRequest(Model):
    """A token to issue. Host tokens come from enrolment only."""

    role: Literal[Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    name: str = Field(min_length=1, max_length=63)
    """What it is for, as the audit shows it."""
    lifetime: Seconds | None = Field(default=None, gt=0)
    """"30d"; left out: until it is revoked."""


class TokenView(Model):
    """A token without its secret."""

    id: str
    role: Role
    name: str
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None


class IssuedToken(TokenView):
    """A new token with its secret, shown this once."""

    secret: str


def _view(token: Token) -> dict[str, object]:
    fields = token.model_dump(include={"id", "role", "created_at", "created_by", "expires_at", "revoked_at"})
    return {**fields, "name": token.subject}


def routes(services: Services) -> tuple[Route, ...]:
    tokens = services.tokens

    def issue(request: Request) -> IssuedToken:
        who, body = request.principal, request.body
        token, secret = tokens.issue(who.tenant, body.role, body.name, who.subject, body.lifetime)
        return IssuedToken(**_view(token), secret=secret)

    def listing(request: Request) -> PageOf[TokenView]:
        found, cursor = tokens.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[TokenView](items=[TokenView(**_view(t)) for t in found], next_cursor=cursor)

    def revoke(request: Request) -> None:
        tokens.revoke(request.principal.tenant, request.params["token"], request.principal.subject)

    path = "/api/v1/tokens"
    return (
        Route("GET", path, Role.ADMIN, listing, "List tokens", response=PageOf[TokenView], query=PageQuery),
        Route("POST", path, Role.ADMIN, issue, "Issue a token", request=TokenRequest, response=IssuedToken, status=201),
        Route("DELETE", path + "/{token}", Role.ADMIN, revoke, "Revoke a token", status=204, errors=(NotFound,)),
    )
