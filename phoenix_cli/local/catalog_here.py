"""The catalog that comes with this installation, for commands that need no control plane."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.bootstrap import Outside, catalog
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.metadata import PipelineMetadata
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.settings import Settings


class CatalogHere:
    """Reads the folders once. extra: folders with pipelines of a user's own. Fragments are filled in by the code that
    fills them in for hosts."""

    def __init__(self, extra: tuple[Path, ...] = ()) -> None:
        self._catalog = catalog(Settings(extra_catalogs=extra), Outside())

    def all(self) -> list[PipelineMetadata]:
        """Every pipeline, in order of name."""
        return [self._catalog.get(name).metadata for name in self._catalog.names()]

    def fragment(self, name: str, parameters: Mapping[str, Any], version: str | None = None) -> Fragment:
        """A pipeline with parameters. Raises NotFound, naming those with a similar name, and InvalidInput, also for
        another version than the one that came along."""
        found = self._catalog.get(name)
        if version not in (None, found.metadata.version):
            raise InvalidInput(
                f"{name} has version {found.metadata.version} in this installation, not {version}",
                hint="leave the version out; versions of your own pipelines are in the control plane",
            )
        return render(found, parameters)

    def scraper_metrics(self) -> tuple[str, ...]:
        """Optional metrics of the process scraper that any pipeline reads, sorted."""
        found = (self._catalog.get(name).scraper_metrics for name in self._catalog.names())
        return tuple(sorted({metric for metrics in found for metric in metrics}))
