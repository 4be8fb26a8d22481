"""A collector that is asked about configurations without being there: accepts all, but for what a test refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import Unavailable


class FakeValidator:
    """`ConfigValidator`. refusals: text inside a configuration to the collector's words about it."""

    def __init__(self) -> None:
        self.refusals: dict[str, str] = {}
        self.asked: list[Mapping[str, Any]] = []
        self.missing = False

    def validate(self, config: Mapping[str, Any]) -> str | None:
        if self.missing:
            raise Unavailable("no collector is known that could validate a configuration")
        self.asked.append(config)
        text = json.dumps(config, default=str)
        return next((words for found, words in self.refusals.items() if found in text), None)
