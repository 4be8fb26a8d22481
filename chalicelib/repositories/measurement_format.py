"""Measurements from the JSON that they were stored as. It was dumped from checked values, so that it is not checked
again: an evaluation reads a hundred thousand of them. Nothing else is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, ExporterCounters, Variant

_VARIANTS = {variant.value: variant for variant in Variant}
Critical = tuple[CriticalProcess, ...]


class StoredSets:
    """Critical processes as they were met before: nearly every scrape has the same ones, and they are one object."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, str, int], ...], Critical] = {}

    def of(self, stored: list[dict[str, Any]]) -> Critical:
        """The processes, in the order that they were stored in."""
        key = tuple([(one["pattern"], one["name"], one["pid"]) for one in stored])
        found = self._known.get(key)
        if found is None:
            found = tuple(CriticalProcess.model_construct(pattern=a, name=b, pid=c) for a, b, c in key)
            self._known[key] = found
        return found


def count_of(stored: Mapping[str, Any], sets: StoredSets) -> Count:
    """A count."""
    return Count.model_construct(
        **{**stored, "variant": _VARIANTS[stored["variant"]], "critical": sets.of(stored["critical"])}
    )


def sample_of(stored: Mapping[str, Any]) -> CollectorSample:
    """A collector sample."""
    exporters = {name: ExporterCounters.model_construct(**one) for name, one in stored["exporters"].items()}
    return CollectorSample.model_construct(**{**stored, "exporters": exporters})
