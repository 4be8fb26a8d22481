"""Which configuration a collector says it runs: reading its answer. Pure; asking is the runtime's.

The answer is a pod's: data, of bounded length, and only a hash is taken out of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from operators.pipelines.names import HASH_ATTRIBUTE

MAX_ANSWER = 2 * 1024 * 1024
_TARGET = re.compile(rb"^target_info\{([^\n]{0,20000})\} 1(?:\.0)?\s*$", re.MULTILINE)
_HASH = re.compile(rf'(?:^|[,{{]){HASH_ATTRIBUTE.replace(".", "_")}="([0-9a-f]{{64}})"'.encode())


@dataclass(frozen=True)
class Answer:
    """The hash that a collector gave back; or "", and why there is none."""

    config_hash: str = ""
    reason: str = ""


class Confirming(Protocol):
    """Asks a collector which configuration it runs."""

    async def ask(self, ip: str) -> Answer:
        """Within a deadline of a few seconds. Never raises: what could not be read is an answer with its reason."""


def answer_in(exposition: bytes) -> Answer:
    """The hash in what the collector's Prometheus endpoint says."""
    target = _TARGET.search(exposition[:MAX_ANSWER])
    if target is None:
        return Answer(reason="its metrics have no target_info")
    found = _HASH.search(target.group(1))
    if found is None:
        return Answer(reason="its target_info has no configuration hash")
    return Answer(found.group(1).decode())
