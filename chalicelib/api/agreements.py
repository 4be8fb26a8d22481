"""Agreement of sources over HTTP: the edge's counts of an experiment's arms against what a Prometheus has of them."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.furniture.route import Model, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.sources.agreement import Agreement
from chalicelib.domain.units import Seconds
from chalicelib.services.experiments.sources import LONGEST_S
from chalicelib.services.services import Services


class AgreementQuery(Model):
    """How far back from now, or from its end, the experiment is compared."""

    window: Seconds = Field(default=3600, ge=1, le=LONGEST_S)


def routes(services: Services) -> tuple[Route, ...]:
    def agree(request: Request) -> Agreement:
        tenant = request.principal.tenant
        experiment = services.experiments.get(tenant, request.params["experiment"])
        return services.sources.agreement(tenant, experiment, request.query.window)

    return (
        Route(
            "GET",
            "/api/v1/experiments/{experiment}/agreement",
            Role.VIEWER,
            agree,
            "Whether the source that it names has what the edge counted, host by host and arm by arm",
            response=Agreement,
            query=AgreementQuery,
            errors=(NotFound, Unavailable),
        ),
    )
