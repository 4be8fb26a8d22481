"""Cost over HTTP: one question, one answer with everything that it rests on."""

from __future__ import annotations

from chalicelib.api.furniture.route import Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.cost.answer import CostAnswer
from chalicelib.domain.cost.ask import CostQuestion
from chalicelib.domain.errors import NotFound
from chalicelib.services.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    def answer(request: Request) -> CostAnswer:
        return services.costs.answer(request.principal.tenant, request.query)

    return (
        Route(
            "GET",
            "/api/v1/cost",
            Role.VIEWER,
            answer,
            "What deployments or an experiment cost, from what was measured",
            response=CostAnswer,
            query=CostQuestion,
            errors=(NotFound,),
        ),
    )
