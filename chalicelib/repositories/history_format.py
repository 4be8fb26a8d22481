"""A host's history as JSON: columns of numbers, each set of critical processes once. Nothing is lost or decided."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from chalicelib.domain.evaluation.scrapes.clusters import Cluster, CriticalSet, Reading
from chalicelib.domain.evaluation.scrapes.history import HostHistory, Tally
from chalicelib.domain.measurement import STREAMS, CollectorSample, CriticalProcess, ExporterCounters, Variant

_NONE = -1
_STREAMS = (*STREAMS, Variant.CANDIDATE_RAW)
"""In the order of columns. The last is left out where no cluster has it."""


def history_json(host: str, history: HostHistory) -> list[Any]:
    """Clusters and samples; the line and the tallies are kept apart (`line_json`)."""
    sets: dict[int, tuple[int, CriticalSet]] = {}
    ats = [cluster.at_ns for cluster in history.clusters]
    streams = _STREAMS if any(Variant.CANDIDATE_RAW in one.readings for one in history.clusters) else STREAMS
    columns = {
        "at": [b - a for a, b in zip([0, *ats], ats, strict=False)],
        "first": [cluster.at_ns - cluster.first_ns for cluster in history.clusters],
        "whole": [int(cluster.whole) for cluster in history.clusters],
        "took": [_NONE if cluster.took_ns is None else cluster.took_ns for cluster in history.clusters],
        "series": [[_series(cluster, stream) for cluster in history.clusters] for stream in streams],
        "critical": [[_critical(cluster, stream, sets) for cluster in history.clusters] for stream in streams],
    }
    columns["sets"] = [sorted([p.pattern, p.name, p.pid] for p in one) for _, one in sets.values()]
    return [host, columns, [_sample(sample) for sample in history.samples]]


def history_of(row: list[Any], scope: str, known: dict[Any, CriticalSet]) -> tuple[str, HostHistory]:
    """The host and its clusters and samples, without line and tallies. known: sets met before; it grows."""
    host, columns, samples = row
    sets = [_set(one, known) for one in columns["sets"]]
    found = []
    took = columns.get("took", [])  # segments of before have none
    for i, at in enumerate(accumulate(columns["at"])):
        readings = {
            stream: Reading(columns["series"][k][i], sets[columns["critical"][k][i]])
            for k, stream in enumerate(_STREAMS[: len(columns["series"])])
            if columns["series"][k][i] != _NONE
        }
        lasted = None if not took or took[i] == _NONE else took[i]
        found.append(Cluster(at - columns["first"][i], at, readings, bool(columns["whole"][i]), lasted))
    return host, HostHistory(clusters=tuple(found), samples=tuple(_sample_of(x, scope, host) for x in samples))


def _set(rows: list[list[Any]], known: dict[Any, CriticalSet]) -> CriticalSet:
    key = tuple(map(tuple, rows))
    if key not in known:
        known[key] = frozenset(CriticalProcess.model_construct(pattern=a, name=b, pid=c) for a, b, c in key)
    return known[key]


def line_json(history: HostHistory) -> list[Any]:
    """The line, and the tallies by reason."""
    return [history.sealed_ns, {why: [t.count, t.start_ns, t.end_ns] for why, t in sorted(history.refused.items())}]


def line_of(row: list[Any]) -> tuple[int, Mapping[str, Tally]]:
    """What `line_json` kept."""
    return row[0], {why: Tally(*numbers) for why, numbers in row[1].items()}


def _series(cluster: Cluster, stream: Any) -> int:
    reading = cluster.readings.get(stream)
    return reading.series if reading else _NONE


def _critical(cluster: Cluster, stream: Any, sets: dict[int, tuple[int, CriticalSet]]) -> int:
    reading = cluster.readings.get(stream)
    # Equal sets of a host are one object nearly always; where they are not, a set is written twice.
    return sets.setdefault(id(reading.critical), (len(sets), reading.critical))[0] if reading else _NONE


def _sample(sample: CollectorSample) -> list[Any]:
    exporters = {name: [x.sent_points, x.sent_bytes, x.failed_points] for name, x in sample.exporters.items()}
    numbers = (sample.time_ns, sample.start_ns, sample.cpu_seconds, sample.rss_bytes)
    return [*numbers, sample.accepted_points, sample.refused_points, exporters, sample.marker]


def _sample_of(row: list[Any], scope: str, host: str) -> CollectorSample:
    time_ns, start_ns, cpu, rss, accepted, refused, exporters, marker = row
    return CollectorSample.model_construct(
        scope=scope,
        host=host,
        time_ns=time_ns,
        start_ns=start_ns,
        cpu_seconds=cpu,
        rss_bytes=rss,
        accepted_points=accepted,
        refused_points=refused,
        exporters={
            name: ExporterCounters.model_construct(sent_points=a, sent_bytes=b, failed_points=c)
            for name, (a, b, c) in exporters.items()
        },
        marker=marker,
    )
