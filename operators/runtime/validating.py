"""Asking the collector about a configuration without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.pipeline.marker import content_hash
from chalicelib.ports.collector import ConfigValidator

AT_ONCE = 2
"""Validations at the same time: each takes a core for half a second."""


class ThreadedValidator:
    """Implements pipelines.reconcile.Validating. The same question asked meanwhile waits for the same answer."""

    def __init__(self, validator: ConfigValidator) -> None:
        self._validator = validator
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[str, asyncio.Task[str | None]] = {}

    async def refusal(self, config: Mapping[str, Any]) -> str | None:
        """See Validating."""
        try:
            key = content_hash(config)
        except (TypeError, ValueError) as error:
            return f"the configuration holds a value that is no YAML text, number or boolean: {error}"
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._ask(config))
            task.add_done_callback(lambda done: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, config: Mapping[str, Any]) -> str | None:
        async with self._slots:
            return await asyncio.to_thread(self._validator.validate, config)
