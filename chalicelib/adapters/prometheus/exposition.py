"""The Exposition port by Prometheus' own client library. What is told is decided in domain/results."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.results.family import Family

OPENMETRICS = "application/openmetrics-text"


class ClientLibraryExposition:
    """See the port."""

    def write(self, families: Sequence[Family], accept: str) -> tuple[str, str]:
        """See the port."""
        # Imported by name where it is used: importing it looks at this process (its default registry does).
        name = "prometheus_client.openmetrics.exposition" if OPENMETRICS in accept else "prometheus_client.exposition"
        try:
            core, format_ = importlib.import_module("prometheus_client.core"), importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise Unavailable("the package prometheus_client is not installed", hint="make setup") from error
        return format_.generate_latest(_Collector(core, families)).decode(), str(format_.CONTENT_TYPE_LATEST)


class _Collector:
    """A registry of the library's, as far as writing down needs one."""

    def __init__(self, core: Any, families: Sequence[Family]) -> None:
        self._core, self._families = core, families

    def collect(self) -> Iterator[Any]:
        for family in self._families:
            gauge = self._core.GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for sample in family.samples:
                gauge.add_metric([sample.labels[name] for name in family.labels], sample.value)
            yield gauge
