"""Pipelines over HTTP, the catalog's and the tenant's own: list, show, fill in, render."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.errors import NotFound, Rejected
from chalicelib.domain.experiment.spec import Backend, PipelineRef
from chalicelib.domain.pipeline.metadata import VERSION, PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.units import Seconds
from chalicelib.services.services import Services

PATH = "/api/v1/pipelines"
ONE = PATH + "/{pipeline}"


class PipelineView(PipelineMetadata):
    """A pipeline as it is listed."""

    source: Literal["catalog", "own"]
    """Whose it is: of Phoenix's catalog, or your own."""
    ambiguous: bool = False
    """Whether the catalog and you have a pipeline of this name: then only name and version together mean one."""


class VersionQuery(Model):
    """Which version; without one the newest."""

    version: str | None = Field(default=None, pattern=VERSION)


class FragmentRequest(Model):
    """What to fill in."""

    parameters: dict[str, bool | int | float | str | list[str]] = Field(default_factory=dict)
    version: str | None = Field(default=None, pattern=VERSION)


class RenderRequest(FragmentRequest):
    """What to fill in, and what stands around it."""

    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    interval: Seconds = Field(default=15, ge=1, le=3600)
    backend: Backend | None = None


class ConfigDocument(Model):
    """A collector configuration."""

    config: dict[str, Any]


def routes(services: Services) -> tuple[Route, ...]:
    pipelines = services.pipelines

    def listing(request: Request) -> PageOf[PipelineView]:
        query = request.query
        release, own, cursor = services.library.page(request.principal.tenant, query.limit, query.cursor)
        items = [_view(one, "catalog") for one in release]
        items += [_view(one.metadata, "own", twice=_in_catalog(one.name)) for one in own]
        return PageOf[PipelineView](items=items, next_cursor=cursor)

    def _in_catalog(name: str) -> bool:
        return services.library.in_catalog(name) is not None

    def show(request: Request) -> PipelineView:
        found = pipelines.get(request.principal.tenant, request.params["pipeline"], request.query.version)
        if "." in found.version:
            return _view(found, "catalog")
        return _view(found, "own", twice=_in_catalog(found.name))

    def fragment(request: Request) -> Fragment:
        return pipelines.fragment(request.principal.tenant, _asked(request))

    def render(request: Request) -> ConfigDocument:
        body, tenant = request.body, request.principal.tenant
        return ConfigDocument(
            config=pipelines.rendered(tenant, _asked(request), body.critical, body.interval, body.backend)
        )

    def _asked(request: Request) -> PipelineRef:
        """The reference; NotFound is answered for a pipeline of the path, unlike for one in a body."""
        name, body = request.params["pipeline"], request.body
        pipelines.get(request.principal.tenant, name, body.version)
        return PipelineRef(pipeline=name, parameters=body.parameters, version=body.version)

    return (
        Route(
            "GET",
            PATH,
            Role.VIEWER,
            listing,
            "List the catalog and your own pipelines",
            response=PageOf[PipelineView],
            query=PageQuery,
        ),
        Route(
            "GET",
            ONE,
            Role.VIEWER,
            show,
            "Show a pipeline",
            response=PipelineView,
            query=VersionQuery,
            errors=(NotFound,),
        ),
        Route(
            "POST",
            ONE + "/fragment",
            Role.VIEWER,
            fragment,
            "A pipeline's processors, filled in, under its own name and version",
            request=FragmentRequest,
            response=Fragment,
            errors=(NotFound,),
        ),
        Route(
            "POST",
            ONE + "/render",
            Role.VIEWER,
            render,
            "A configuration that a stock collector runs as it is",
            request=RenderRequest,
            response=ConfigDocument,
            errors=(NotFound, Rejected),
        ),
    )


def _view(metadata: PipelineMetadata, source: Literal["catalog", "own"], *, twice: bool = False) -> PipelineView:
    fields = {name: getattr(metadata, name) for name in PipelineMetadata.model_fields}
    return PipelineView(**fields, source=source, ambiguous=twice)
