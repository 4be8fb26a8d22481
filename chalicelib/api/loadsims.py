"""Load simulations: start, list, stop; and what hosts read and report of them."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.load import DesiredLoad, LoadSpec, LoadStatus
from chalicelib.domain.loadsim import LoadSim
from chalicelib.services.services import Services


class LoadRequest(Model):
    """A load to run on a host."""

    name: str = Field(pattern=NAME)
    host: str = Field(pattern=NAME)
    spec: LoadSpec = LoadSpec()


def routes(services: Services) -> tuple[Route, ...]:
    loadsims = services.loadsims

    def listing(request: Request) -> PageOf[LoadSim]:
        return PageOf[LoadSim](items=loadsims.page(request.principal.tenant))

    def start(request: Request) -> LoadSim:
        who, body = request.principal, request.body
        return loadsims.start(who.tenant, body.host, body.name, body.spec, who.subject)

    def stop(request: Request) -> LoadSim:
        return loadsims.stop(request.principal.tenant, request.params["host"], request.params["name"])

    def wanted(request: Request) -> PageOf[DesiredLoad]:
        return PageOf[DesiredLoad](items=loadsims.of_host(request.principal))

    def report(request: Request) -> None:
        loadsims.report(request.principal, request.params["name"], request.body)

    path, host = "/api/v1/loadsims", "/api/v1/hosts/{host}/loadsims"
    own = host + "/{name}"
    return (
        Route("GET", path, Role.VIEWER, listing, "List load simulations", response=PageOf[LoadSim]),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            start,
            "Start a load on a host",
            request=LoadRequest,
            response=LoadSim,
            status=201,
            errors=(NotFound, Conflict),
        ),
        Route("POST", own + "/stop", Role.OPERATOR, stop, "Stop a load", response=LoadSim, errors=(NotFound,)),
        Route(
            "GET",
            host,
            Role.HOST,
            wanted,
            "What is wanted of the calling host",
            response=PageOf[DesiredLoad],
            own="host",
        ),
        Route(
            "PUT",
            own + "/status",
            Role.HOST,
            report,
            "What the host says of a load",
            request=LoadStatus,
            status=204,
            own="host",
            errors=(NotFound,),
        ),
    )
