"""The collector binary, as far as the control plane uses it: it has the last word on every configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.validation.findings import Source
from chalicelib.domain.validation.outcome import Outcome
from chalicelib.domain.validation.population import Scrape


class ConfigValidator(Protocol):
    """Asks the collector whether it would take a configuration."""

    def validate(self, config: Mapping[str, Any]) -> str | None:
        """None when the collector accepts it; otherwise the collector's own words, cleaned and bounded.

        Raises Unavailable when the collector cannot be asked.
        """
        ...


class ConfigReader(Protocol):
    """Reads the text of a configuration as the collector's own YAML reader would."""

    def read(self, text: str) -> Source:
        """The value and where each part stands, or the faults that leave no value. Never raises."""
        ...


class ConfigTrials(Protocol):
    """Runs a harmless configuration in a real collector and feeds it."""

    def run(
        self, make: Callable[[str, str], Mapping[str, Any]], scrapes: Sequence[Scrape], environment: frozenset[str]
    ) -> Outcome:
        """What arrived at the sinks.

        make: the configuration, given where to listen (host:port, OTLP over HTTP) and the sinks' base URL. environment:
        variables that it refers to; they get dummies. A run that gives nothing is an Outcome with its failure, within a
        deadline of the implementation's. Raises Unavailable when there is no collector or no place to run one.
        """
        ...
