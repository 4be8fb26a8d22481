"""Results as metrics over HTTP: what a Prometheus scrapes, with a viewer's token."""

from __future__ import annotations

from chalicelib.api.furniture.route import Request, Route, Text
from chalicelib.domain.access import Role
from chalicelib.domain.errors import Unavailable
from chalicelib.services.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    def scrape(request: Request) -> Text:
        return Text(*services.results.metrics(request.principal.tenant, request.headers.get("accept") or ""))

    return (
        Route(
            "GET",
            "/api/v1/metrics",
            Role.VIEWER,
            scrape,
            "Results of experiments as metrics, for Prometheus to scrape (OpenMetrics, or its own text format)",
            errors=(Unavailable,),
        ),
    )
