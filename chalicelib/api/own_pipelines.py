"""A tenant's own pipelines over HTTP: create, update, delete, versions, and any pipeline as a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.api.pipelines import ONE, PATH, VersionQuery
from chalicelib.domain.access import Role
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.errors import Conflict, NotFound, Rejected, Unavailable
from chalicelib.domain.pipeline.collector_file import LeftOut
from chalicelib.domain.pipeline.metadata import NAME
from chalicelib.domain.pipeline.own import MAX_BYTES, MAX_NOTE, OwnVersion
from chalicelib.domain.validation.findings import Report
from chalicelib.services.pipelines.drafts import Draft
from chalicelib.services.pipelines.own_pipelines import Made
from chalicelib.services.services import Services


class PipelineDraft(Model):
    """A pipeline as a file holds it, in YAML."""

    text: str = Field(max_length=MAX_BYTES)
    """A pipeline document (kind: Pipeline), a collector configuration, or the collector.yaml of a catalog folder."""
    metadata: str | None = Field(default=None, max_length=MAX_BYTES)
    """The folder's metadata.yaml."""
    pipeline: str | None = Field(default=None, max_length=200)
    """Which metrics pipeline of a collector configuration; needed when several are fed by the process scraper."""
    title: str | None = Field(default=None, min_length=1, max_length=80)
    """In place of the file's."""
    note: str = Field(default="", max_length=MAX_NOTE)
    """What is new in this version."""
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    """What it must never drop: tried on a synthetic scrape before anything is stored."""
    strict: bool = False
    """Warnings refuse as well."""
    dry_run: bool = False
    """Validate, but store nothing."""

    def draft(self) -> Draft:
        """The same for the service."""
        return Draft(
            text=self.text,
            metadata=self.metadata,
            choice=self.pipeline,
            title=self.title,
            note=self.note,
            critical=self.critical,
            strict=self.strict,
        )


class NewPipeline(PipelineDraft):
    """A first version."""

    name: Annotated[str, Field(pattern=NAME)] | None = None
    """Wins over the document's own name."""


class SavedPipeline(Model):
    """What came of it."""

    name: str
    version: OwnVersion | None
    """The version with this content; null after a dry run that would have made one."""
    new: bool
    """Whether the version was added now; false when the newest one already had this content."""
    left_out: tuple[LeftOut, ...]
    """What of the file is not part of the pipeline, and why."""
    report: Report
    """What validation said; its pointers are into the file."""


class PipelineText(Model):
    """A pipeline document."""

    text: str


def routes(services: Services) -> tuple[Route, ...]:
    own = services.own_pipelines

    def create(request: Request) -> SavedPipeline:
        who, body = request.principal, request.body
        return _saved(own.create(who.tenant, body.name, body.draft(), who.subject, dry_run=body.dry_run))

    def update(request: Request) -> SavedPipeline:
        who, body = request.principal, request.body
        name = request.params["pipeline"]
        return _saved(own.update(who.tenant, name, body.draft(), who.subject, dry_run=body.dry_run))

    def delete(request: Request) -> None:
        own.delete(request.principal.tenant, request.params["pipeline"], request.principal.subject)

    def versions(request: Request) -> PageOf[OwnVersion]:
        query, tenant = request.query, request.principal.tenant
        found, cursor = own.versions(tenant, request.params["pipeline"], query.limit, query.cursor)
        return PageOf[OwnVersion](items=found, next_cursor=cursor)

    def document(request: Request) -> PipelineText:
        tenant, name = request.principal.tenant, request.params["pipeline"]
        return PipelineText(text=own.document(tenant, name, request.query.version))

    refusals = (Conflict, Rejected, Unavailable)
    return (
        Route(
            "POST",
            PATH,
            Role.OPERATOR,
            create,
            "Create a pipeline of your own",
            request=NewPipeline,
            response=SavedPipeline,
            status=201,
            errors=refusals,
        ),
        Route(
            "POST",
            ONE + "/versions",
            Role.OPERATOR,
            update,
            "Make a new version of a pipeline of your own",
            request=PipelineDraft,
            response=SavedPipeline,
            status=201,
            errors=(NotFound, *refusals),
        ),
        Route(
            "GET",
            ONE + "/versions",
            Role.VIEWER,
            versions,
            "Every version of a pipeline of your own, oldest first",
            response=PageOf[OwnVersion],
            query=PageQuery,
            errors=(NotFound,),
        ),
        Route(
            "GET",
            ONE + "/document",
            Role.VIEWER,
            document,
            "Any pipeline as the file that makes it again",
            response=PipelineText,
            query=VersionQuery,
            errors=(NotFound,),
        ),
        Route(
            "DELETE",
            ONE,
            Role.OPERATOR,
            delete,
            "Delete a pipeline of your own",
            status=204,
            errors=(NotFound, Conflict),
        ),
    )


def _saved(made: Made) -> SavedPipeline:
    return SavedPipeline(
        name=made.name, version=made.version, new=made.new, left_out=made.written.left_out, report=made.report
    )
