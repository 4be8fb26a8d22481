"""A tenant's own pipelines as values: what a user writes down, and what is kept of it. Nothing is checked here beyond
the form (`own_rules` does), nothing rendered, nothing stored.

Versions are counted 1, 2, 3 …, never changed and never counted anew, not even for a name that was deleted and is used
again: "lean 3" means one content for ever. The catalog's versions are semantic (1.2.0), so a version's form says whose
it is.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.metadata import NAME, Change, Parameter, PipelineMetadata, PipelineTemplate
from chalicelib.domain.validation.findings import Answer, Finding, Kept

MAX_PIPELINES = 200
"""Of one tenant, at one time."""
MAX_NAMES = 1000
"""Of one tenant, those of deleted pipelines counted: what was compared with them is still shown."""
MAX_VERSIONS = 500
MAX_BYTES = 256 * 1024
"""Of one version as JSON."""
MAX_PARAMETERS = 50
MAX_NOTE = 200
MAX_KEPT_FINDINGS = 20

Metric = Annotated[str, Field(min_length=1, max_length=200)]


class PipelineSpec(Value):
    """What a pipeline is, whatever it is called: the catalog's metadata.yaml and collector.yaml in one."""

    title: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=4000)
    parameters: tuple[Parameter, ...] = Field(default=(), max_length=MAX_PARAMETERS)
    keeps: tuple[Metric, ...] = Field(default=(), max_length=100)
    """Metrics in the output, when its author says so."""
    backends: tuple[Literal["cumulative", "delta"], ...] = Field(default=(), max_length=2)
    """Temporality of the counters in the output, when its author says so."""
    names: str = Field(default="", max_length=2000)
    """How process names are treated."""
    scraper_metrics: tuple[str, ...] = Field(default=(), max_length=50)
    """Optional metrics of the process scraper that the processors read."""
    order: tuple[str, ...] = Field(max_length=200)
    """Ids of the processors, first to last."""
    processors: dict[str, dict[str, Any]] = Field(max_length=200)
    """Processors by id, with `@{parameter}` placeholders."""

    def canonical(self) -> bytes:
        """Canonical JSON of what it means, defaults written out. ValueError for a number that JSON lacks."""
        body = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return text.encode()

    def content_hash(self) -> str:
        """SHA-256 (hex) of its canonical form."""
        return hashlib.sha256(self.canonical()).hexdigest()


class DocumentName(Value):
    """The name may be left out where a command gives one."""

    name: str | None = Field(default=None, pattern=NAME)


class PipelineDocument(Value):
    """The whole file: what `phoenix pipeline create` takes and `phoenix pipeline export --format phoenix` writes."""

    api_version: Literal["phoenix.io/v1alpha1"] = "phoenix.io/v1alpha1"
    kind: Literal["Pipeline"] = "Pipeline"
    metadata: DocumentName = DocumentName()
    spec: PipelineSpec


class Checked(Value):
    """What validation said when the version was made."""

    collector: Answer
    retention: Kept
    critical: tuple[str, ...] = ()
    """Ids of the critical patterns that were tried."""
    warnings: tuple[Finding, ...] = ()
    """The first ones."""


class OwnVersion(Value):
    """One version, without its content."""

    pipeline: str
    number: int = Field(ge=1)
    at: float
    by: str
    note: str = Field(default="", max_length=MAX_NOTE)
    content_hash: str
    checked: Checked


class OwnContent(Value):
    """The content of one version."""

    pipeline: str
    number: int
    spec: PipelineSpec


class OwnPipeline(Value):
    """The record of a name."""

    name: str = Field(pattern=NAME)
    number: int = Field(ge=1)
    """The newest version; the next one is counted on from here, also after a deletion."""
    content_hash: str
    """Of the newest version."""
    metadata: PipelineMetadata
    """Of the newest version, for lists."""
    created_at: float
    created_by: str
    updated_at: float
    updated_by: str
    deleted_at: float | None = None


def version_key(name: str, number: int) -> str:
    """Sort key of a version: in order of the number."""
    return f"{name}#{number:06d}"


def described(name: str, version: str, spec: PipelineSpec, note: str = "") -> PipelineMetadata:
    """The description as the catalog gives it. No effect is claimed: nobody measured one."""
    return PipelineMetadata(
        name=name,
        version=version,
        title=spec.title,
        description=spec.description,
        parameters=spec.parameters,
        keeps=spec.keeps,
        backends=spec.backends,
        names=spec.names,
        changelog=(Change(version=version, text=note or f"Version {version}."),),
    )


def template_of(metadata: PipelineMetadata, spec: PipelineSpec) -> PipelineTemplate:
    """The pipeline ready to be filled in, exactly as one of the catalog. Raises ValidationError on an illegal order."""
    return PipelineTemplate(
        metadata=metadata, processors=spec.processors, order=spec.order, scraper_metrics=spec.scraper_metrics
    )


def spec_of(template: PipelineTemplate) -> PipelineSpec:
    """What would make this pipeline again, for export."""
    metadata = template.metadata
    return PipelineSpec(
        title=metadata.title,
        description=metadata.description,
        parameters=metadata.parameters,
        keeps=metadata.keeps,
        backends=metadata.backends,
        names=metadata.names,
        scraper_metrics=template.scraper_metrics,
        order=template.order,
        processors=template.processors,
    )
