"""The HTTPS API: one module a noun, each a function from services to declared routes. `furniture` is what all share."""

from __future__ import annotations

from chalicelib.api import (
    agreements,
    budgets,
    clusters,
    cost,
    deployments,
    edge,
    experiment_orders,
    experiments,
    hosts,
    loadsims,
    own_pipelines,
    pipelines,
    predictions,
    price_books,
    quarantine,
    results,
    system,
    tokens,
    validations,
    webhooks,
)
from chalicelib.api.furniture.route import Route
from chalicelib.services.services import Services


def all_routes(services: Services, version: str) -> tuple[Route, ...]:
    """Every route there is, in the order of the OpenAPI document."""
    nouns = (
        *tokens.routes(services),
        *hosts.routes(services),
        *quarantine.routes(services),
        *pipelines.routes(services),
        *own_pipelines.routes(services),
        *validations.routes(services),
        *deployments.routes(services),
        *experiments.routes(services),
        *experiment_orders.routes(services),
        *agreements.routes(services),
        *predictions.routes(services),
        *loadsims.routes(services),
        *clusters.routes(services),
        *price_books.routes(services),
        *cost.routes(services),
        *budgets.routes(services),
        *webhooks.routes(services),
        *results.routes(services),
        *edge.routes(services),
    )
    return (*system.routes(nouns, version), *nouns)
