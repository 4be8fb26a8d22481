"""Where pipelines come from. The contract: names are sorted, templates are valid, nothing changes while we run."""

from __future__ import annotations

from typing import Protocol

from chalicelib.domain.pipeline.metadata import PipelineTemplate


class Catalog(Protocol):
    """The pipelines that can be used."""

    def names(self) -> list[str]:
        """Names of all pipelines, sorted."""
        ...

    def get(self, name: str) -> PipelineTemplate:
        """The pipeline of this name, or with this alias. Raises NotFound, which lists near names."""
        ...
