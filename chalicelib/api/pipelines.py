"""The catalog over HTTP: list, show, render."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.errors import NotFound, Rejected
from chalicelib.domain.experiment.spec import OtlpBackend, PipelineRef
from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.units import Seconds
from chalicelib.services.services import Services


class RenderRequest(Model):
    """What to fill in."""

    parameters: dict[str, bool | int | float | str | list[str]] = Field(default_factory=dict)
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    interval: Seconds = Field(default=15, ge=1, le=3600)
    backend: OtlpBackend | None = None


class ConfigDocument(Model):
    """A collector configuration."""

    config: dict[str, Any]


def routes(services: Services) -> tuple[Route, ...]:
    pipelines = services.pipelines

    def listing(request: Request) -> PageOf[PipelineMetadata]:
        return PageOf[PipelineMetadata](items=pipelines.all())

    def show(request: Request) -> PipelineMetadata:
        return pipelines.get(request.params["pipeline"])

    def render(request: Request) -> ConfigDocument:
        body = request.body
        pipelines.get(request.params["pipeline"])
        reference = PipelineRef(pipeline=request.params["pipeline"], parameters=body.parameters)
        return ConfigDocument(config=pipelines.rendered(reference, body.critical, body.interval, body.backend))

    path = "/api/v1/pipelines"
    one = path + "/{pipeline}"
    return (
        Route("GET", path, Role.VIEWER, listing, "List the catalog", response=PageOf[PipelineMetadata]),
        Route("GET", one, Role.VIEWER, show, "Show a pipeline", response=PipelineMetadata, errors=(NotFound,)),
        Route(
            "POST",
            one + "/render",
            Role.VIEWER,
            render,
            "A configuration that a stock collector runs as it is",
            request=RenderRequest,
            response=ConfigDocument,
            errors=(NotFound, Rejected),
        ),
    )
