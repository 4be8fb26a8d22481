"""Where the figures of an experiment's arms can be read: the measurement store, or a Prometheus that the arms send to.

Two adapters pass one contract suite (tests/contract/test_kpis.py). Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.domain.experiment.source import Prometheus
from chalicelib.domain.measurement import Count, CriticalProcess


@dataclass(frozen=True)
class Asked:
    """What is wanted. spans: by host, the oldest and the newest moment of data points, Unix nanoseconds by the host's
    clock, both included. critical: by host, the critical processes to look for; others are not reported. named: by
    host, the name that its data carries as host.name, where that is another: a node's is its name in its cluster."""

    tenant: str
    scope: str
    interval_s: float
    spans: Mapping[str, tuple[int, int]]
    critical: Mapping[str, frozenset[CriticalProcess]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


class KpiSource(Protocol):
    """One place to read from."""

    def arms(self, asked: Asked) -> list[Count]:
        """Baseline and candidate as parts of scrapes, in any order: each data point of theirs in the spans is in
        exactly one part, and lies between that part's start and end. A part may begin or end a little outside a span.
        What is not there is no part: absent, not zero. Without spans it only makes sure that it can be read.

        Raises Unavailable when it cannot be read, or not in full.
        """
        ...


class KpiSources(Protocol):
    """The places outside."""

    def of(self, tenant: str, prometheus: Prometheus) -> KpiSource:
        """The server that a specification names. Raises InvalidInput when its credential is not this tenant's, or is
        bound to another address."""
        ...
