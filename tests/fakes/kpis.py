"""A Prometheus that has what the edge counted, but for what a test changes; and one that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.experiment.source import Prometheus
from chalicelib.domain.measurement import Count
from chalicelib.ports.kpis import Asked, KpiSource
from chalicelib.repositories.measurements import Measurements
from chalicelib.repositories.stored_arms import StoredArms


class FakeKpis:
    """The KpiSources port, and the source itself. change: a count as it is there, or None; down: why it cannot be read.
    measurements: where the edge's counts lie; set by the test once they exist."""

    def __init__(self) -> None:
        self.measurements: Measurements | None = None
        self.change: Callable[[Count], Count | None] = lambda count: count
        self.down = ""
        self.asked: list[Asked] = []

    def of(self, tenant: str, prometheus: Prometheus) -> KpiSource:
        return self

    def arms(self, asked: Asked) -> list[Count]:
        self.asked.append(asked)
        if self.down:
            raise Unavailable(self.down)
        if not asked.spans:
            return []
        assert self.measurements is not None
        there = [self.change(count) for count in StoredArms(self.measurements).arms(asked)]
        return [count.model_copy(update={"marker": "", "scope": "there"}) for count in there if count is not None]
