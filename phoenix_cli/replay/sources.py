"""Where the definitions of replayed pipelines are from: the control plane of the profile, or the catalog that comes
with this installation. Both give fragments that were filled in by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.pricebooks import PRICE_BOOKS, price_book
from phoenix_cli.client import Client

PATH, BOOKS = "/api/v1/pipelines", "/api/v1/price-books"


class Definitions(Protocol):
    """Pipelines by name."""

    def all(self) -> list[PipelineMetadata]:
        """Every pipeline there is, in order of name."""
        ...

    def fragment(self, name: str, parameters: Mapping[str, Any], version: str | None = None) -> Fragment:
        """A pipeline with parameters; without a version the newest. Raises NotFound, InvalidInput."""
        ...


def book_of(name: str, client: Client | None) -> PriceBook:
    """A price book that comes with Phoenix, or one of the tenant's own. Raises InvalidInput, NotFound."""
    if client is None or name in PRICE_BOOKS:
        return price_book(name)
    return PriceBook.model_validate(client.get(f"{BOOKS}/{name}")["book"])


def _known(document: Mapping[str, Any], model: type[Value]) -> dict[str, Any]:
    """What of an answer is the model's: views add fields of their own."""
    aliases = {field.alias or name for name, field in model.model_fields.items()}
    return {key: value for key, value in document.items() if key in aliases}


class ControlPlaneDefinitions:
    """The catalog and the tenant's own pipelines, as the control plane would render them for an experiment."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> list[PipelineMetadata]:
        """See Definitions."""
        items = self._client.items(PATH)
        found = [PipelineMetadata.model_validate(_known(one, PipelineMetadata)) for one in items]
        return sorted(found, key=lambda one: one.name)

    def fragment(self, name: str, parameters: Mapping[str, Any], version: str | None = None) -> Fragment:
        """See Definitions."""
        body = {"parameters": dict(parameters)} | ({"version": version} if version else {})
        return Fragment.model_validate(self._client.post(f"{PATH}/{name}/fragment", body))
