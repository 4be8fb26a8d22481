"""Where the definitions of replayed pipelines are from: the control plane of the profile, or the catalog that comes
with this installation. Both give fragments that were filled in by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment
from phoenix_cli.client import Client

PATH = "/api/v1/pipelines"


class Definitions(Protocol):
    """Pipelines by name."""

    def all(self) -> list[PipelineMetadata]:
        """Every pipeline there is, in order of name."""
        ...

    def fragment(self, name: str, parameters: Mapping[str, Any]) -> Fragment:
        """A pipeline with parameters. Raises NotFound, InvalidInput."""
        ...


class ControlPlaneDefinitions:
    """The catalog and the tenant's own pipelines, as the control plane would render them for an experiment."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> list[PipelineMetadata]:
        """See Definitions."""
        known = set(PipelineMetadata.model_fields)
        aliases = {field.alias or name for name, field in PipelineMetadata.model_fields.items()} | known
        items = self._client.items(PATH)
        found = [PipelineMetadata.model_validate({k: v for k, v in one.items() if k in aliases}) for one in items]
        return sorted(found, key=lambda one: one.name)

    def fragment(self, name: str, parameters: Mapping[str, Any]) -> Fragment:
        """See Definitions."""
        return Fragment.model_validate(self._client.post(f"{PATH}/{name}/fragment", {"parameters": dict(parameters)}))
