"""Asking the collector about a configuration without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from chalicelib.ports.collector import ConfigValidator
from operators.pipelines.distinct import identity

AT_ONCE = 2
"""Validations at the same time: each takes a core for half a second."""
REMEMBERED = 256
"""Answers that are kept. A thousand resources hold few distinct configurations, and a thread and three walks over the
tree for each of them, only to find the answer that the validator has, was a tenth of the operator's CPU."""


class ThreadedValidator:
    """Implements pipelines.reconcile.Validating. The same question asked meanwhile waits for the same answer. What the
    collector said is remembered; that it could not be asked is not."""

    def __init__(self, validator: ConfigValidator) -> None:
        self._validator = validator
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[bytes, asyncio.Task[str | None]] = {}
        self._answers: OrderedDict[bytes, str | None] = OrderedDict()

    async def refusal(self, config: Mapping[str, Any]) -> str | None:
        """See Validating."""
        try:
            key = identity(config)
        except (TypeError, ValueError) as error:
            return f"the configuration holds a value that is no YAML text, number or boolean: {error}"
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._ask(key, config))
            task.add_done_callback(lambda done: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: bytes, config: Mapping[str, Any]) -> str | None:
        async with self._slots:
            answer = await asyncio.to_thread(self._validator.validate, config)
        self._answers[key] = answer
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        return answer
