"""The collector binary, as far as the control plane uses it: it has the last word on every configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ConfigValidator(Protocol):
    """Asks the collector whether it would take a configuration."""

    def validate(self, config: Mapping[str, Any]) -> str | None:
        """None when the collector accepts it; otherwise the collector's own words, cleaned and bounded.

        Raises Unavailable when the collector cannot be asked.
        """
        ...
