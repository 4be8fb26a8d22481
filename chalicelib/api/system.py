"""Health, who am I, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from chalicelib.api.furniture.openapi import openapi
from chalicelib.api.furniture.route import Model, Request, Route
from chalicelib.domain.access import Public, Role


class Health(Model):
    """The answer of a control plane that serves requests."""

    status: Literal["ok"]
    version: str


class Caller(Model):
    """Who the token speaks for."""

    tenant: str
    role: Role
    subject: str


def routes(nouns: Sequence[Route], version: str) -> tuple[Route, ...]:
    """nouns: all other routes, for the document."""

    def health(request: Request) -> Health:
        return Health(status="ok", version=version)

    def caller(request: Request) -> Caller:
        who = request.principal
        return Caller(tenant=who.tenant, role=who.role, subject=who.subject)

    def document(request: Request) -> dict[str, Any]:
        return openapi((*own, *nouns), version)

    own = (
        Route("GET", "/healthz", Public.HEALTH, health, "Is it there?", response=Health),
        Route("GET", "/api/v1/whoami", Role.VIEWER, caller, "Who the token speaks for", response=Caller),
        Route("GET", "/api/v1/openapi.json", Role.VIEWER, document, "This document"),
    )
    return own
