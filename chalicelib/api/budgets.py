"""Budgets over HTTP: make, list, show, delete."""

from __future__ import annotations

from chalicelib.api.furniture.route import PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.cost.budget import Budget, BudgetSpec
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.services.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    budgets = services.budgets

    def create(request: Request) -> Budget:
        return budgets.create(request.principal.tenant, request.body, request.principal.subject)

    def listing(request: Request) -> PageOf[Budget]:
        found, cursor = budgets.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[Budget](items=found, next_cursor=cursor)

    def show(request: Request) -> Budget:
        return budgets.get(request.principal.tenant, request.params["budget"])

    def delete(request: Request) -> None:
        budgets.delete(request.principal.tenant, request.params["budget"], request.principal.subject)

    path = "/api/v1/budgets"
    one = path + "/{budget}"
    return (
        Route("GET", path, Role.VIEWER, listing, "List budgets", response=PageOf[Budget], query=PageQuery),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            create,
            "Make a budget",
            request=BudgetSpec,
            response=Budget,
            status=201,
            errors=(Conflict,),
        ),
        Route("GET", one, Role.VIEWER, show, "Show a budget", response=Budget, errors=(NotFound,)),
        Route("DELETE", one, Role.OPERATOR, delete, "Delete a budget", status=204, errors=(NotFound,)),
    )
