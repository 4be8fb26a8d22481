"""The Exposition port by Prometheus' own client library. What is told is decided in domain/results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.domain.results.family import Family

OPENMETRICS = "application/openmetrics-text"


class ClientLibraryExposition:
    """See the port."""

    def write(self, families: Sequence[Family], accept: str) -> tuple[str, str]:
        """See the port."""
        # Imported where it is used: the library's default registry looks at this process when it is imported.
        from prometheus_client import exposition
        from prometheus_client.openmetrics import exposition as openmetrics

        if OPENMETRICS in accept:
            return openmetrics.generate_latest(_Collector(families)).decode(), openmetrics.CONTENT_TYPE_LATEST
        return exposition.generate_latest(_Collector(families)).decode(), exposition.CONTENT_TYPE_LATEST


class _Collector:
    """A registry of the library's, as far as writing down needs one."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        for family in self._families:
            gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for sample in family.samples:
                gauge.add_metric([sample.labels[name] for name in family.labels], sample.value)
            yield gauge
