"""Predictions over HTTP: keep, list, and hold an experiment against its own."""

from __future__ import annotations

from chalicelib.api.furniture.route import PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.errors import NotFound, TooLarge
from chalicelib.domain.prediction.prediction import Prediction, PredictionDraft
from chalicelib.domain.prediction.realised import Comparison
from chalicelib.services.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    predictions = services.predictions

    def keep(request: Request) -> Prediction:
        who = request.principal
        return predictions.add(who.tenant, request.body, who.subject)

    def listing(request: Request) -> PageOf[Prediction]:
        found, cursor = predictions.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[Prediction](items=found, next_cursor=cursor)

    def of_experiment(request: Request) -> Comparison:
        return predictions.of_experiment(request.principal.tenant, request.params["experiment"])

    path = "/api/v1/predictions"
    return (
        Route("GET", path, Role.VIEWER, listing, "List predictions", response=PageOf[Prediction], query=PageQuery),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            keep,
            "Keep what a preview predicts of two pipelines",
            request=PredictionDraft,
            response=Prediction,
            status=201,
            errors=(TooLarge,),
        ),
        Route(
            "GET",
            "/api/v1/experiments/{experiment}/prediction",
            Role.VIEWER,
            of_experiment,
            "Predicted against realised",
            response=Comparison,
            errors=(NotFound,),
        ),
    )
