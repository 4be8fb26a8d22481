"""Requests to an API server, counted in its own audit log: who asked, which verb, of what. No request is made."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
"""
"""One line a finished request. A watch is finished when it ends, so it is not in a count while it runs."""
WATCHES = frozenset({"watch", "list"})


@dataclass(frozen=True)
class Requests:
    """By verb and resource. other: everything but lists and watches, which are the price of starting."""

    counted: Counter[str]

    @property
    def all(self) -> int:
        return sum(self.counted.values())

    @property
    def other(self) -> int:
        return sum(n for what, n in self.counted.items() if what.split()[0] not in WATCHES)

    def text(self) -> str:
        """ "3000 patch daemonsets, …", the most frequent first."""
        return ", ".join(f"{n} {what}" for what, n in self.counted.most_common(8))


class Audit:
    """A log that is read on. agents: how the user agents of the one that is counted begin."""

    def __init__(self, log: Path, agents: tuple[str, ...]) -> None:
        self.log, self._agents, self._at, self._rest = log, agents, 0, b""

    def since_last(self) -> Requests:
        """What was finished since the last call."""
        with self.log.open("rb") as source:
            source.seek(self._at)
            data = source.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: Counter[str] = Counter()
        for line in lines:
            event = json.loads(line)
            if event.get("userAgent", "").startswith(self._agents):
                of = event.get("objectRef", {})
                found[f"{event['verb']} {of.get('resource', '?')}" + ("/status" if of.get("subresource") else "")] += 1
        return Requests(found)
