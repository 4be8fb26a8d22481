"""Failed configurations of a host over HTTP: every attempt, and the release of one."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.audit import AuditRecord
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.fleet.state import Failure
from chalicelib.services.services import Services


class Release(Model):
    """Let a failed configuration be offered again."""

    content_hash: str = Field(pattern=r"^[0-9a-f]{8,64}$")
    """Its content hash, or at least eight digits that fit no other failed one of this host."""


def routes(services: Services) -> tuple[Route, ...]:
    def attempts(request: Request) -> PageOf[AuditRecord]:
        return PageOf[AuditRecord](items=services.quarantine.attempts(request.principal.tenant, request.params["host"]))

    def release(request: Request) -> Failure:
        who = request.principal
        return services.quarantine.release(who.tenant, request.params["host"], request.body.content_hash, who.subject)

    one = "/api/v1/hosts/{host}"
    return (
        Route(
            "GET",
            one + "/attempts",
            Role.VIEWER,
            attempts,
            "Every configuration that was tried on a host, and what became of it",
            response=PageOf[AuditRecord],
            errors=(NotFound,),
        ),
        Route(
            "POST",
            one + "/quarantine/release",
            Role.OPERATOR,
            release,
            "Let a failed configuration be offered to a host again",
            request=Release,
            response=Failure,
            errors=(NotFound, Conflict),
        ),
    )
