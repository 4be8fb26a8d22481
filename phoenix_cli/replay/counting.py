"""Figures of a replay: what the streams add up to, which critical processes are missing, what a redaction hides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.prediction.figures import (
    MAX_MISSED,
    MissedProcess,
    PatternKept,
    PipelineFigures,
    amount,
    per_month,
)
from chalicelib.domain.prediction.prediction import Conditions
from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.points import MAX_NAMES, MAX_PIDS, MAX_SERIES, NAME, PID, data_points, value
from phoenix_cli.recording.reader import Recording
from phoenix_cli.recording.redaction import MARK
from phoenix_cli.replay.clock import unknown
from phoenix_cli.replay.sinks import Critical, Stream

_COMMAND_LINE, _OWNER = "process.command_line", "process.owner"


@dataclass
class Facts:
    """What one pass over a recording tells. times: first point of each scrape (Unix ns). hidden: attribute to the pids
    whose value of it was redacted."""

    times: list[int] = field(default_factory=list)
    processes: list[int] = field(default_factory=list)
    last_ns: int = 0
    hidden: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: set[str] = field(default_factory=set)


def look(recording: Recording) -> Facts:
    """One pass. Raises RecordingUnusable when it is damaged, has no scrape, or more names than any host."""
    facts = Facts()
    for request in recording.requests():
        times = list(_times(request.resource_metrics[0])) if request.resource_metrics else []
        facts.times.append(min(times, default=0))
        facts.last_ns = max(times, default=facts.last_ns)
        facts.processes.append(len(request.resource_metrics))
        for resource in request.resource_metrics:
            _note_process(facts, {pair.key: value(pair) for pair in resource.resource.attributes})
        if len(facts.names) > MAX_NAMES:
            raise RecordingUnusable(f"{recording.path} has more than {MAX_NAMES} executable names, as no host has")
    if not facts.times:
        raise RecordingUnusable(f"{recording.path} has no scrape", hint="record for longer")
    return facts


def _times(process: ResourceMetrics) -> Iterator[int]:
    for scope in process.scope_metrics:
        for metric in scope.metrics:
            yield from (point.time_unix_nano for point in data_points(metric))


def _note_process(facts: Facts, said: Mapping[str, Any]) -> None:
    facts.names.add(str(said.get(NAME, "")))
    for key in (NAME, _COMMAND_LINE, _OWNER):
        known = facts.hidden[key]
        if MARK.search(str(said.get(key))) and isinstance(said.get(PID), int) and len(known) < MAX_PIDS:
            known.add(said[PID])


def conditions(recording: Recording, facts: Facts, collector_version: str, book: PriceBook) -> Conditions:
    """What every figure holds under."""
    header, end = recording.header, recording.end
    seconds = (facts.last_ns - facts.times[0]) / 1e9 if facts.times[0] else 0.0
    return Conditions(
        recording=recording.digest,
        host=header.host,
        started_at=header.started_at,
        seconds=min(max(seconds, 0.0), 30 * 86400),
        interval_s=header.interval_s,
        scrapes=recording.scrapes,
        processes=sum(facts.processes) / len(facts.processes),
        complete=end is not None,
        redacted=any(facts.hidden.values()) or bool(end and end.redacted),
        collector_version=collector_version,
        price_book=book.name,
    )


def figures(
    fragment: Fragment,
    stream: Stream,
    raw: Stream,
    critical: Sequence[CriticalPattern],
    facts: Facts,
    held: Conditions,
    book: PriceBook,
) -> PipelineFigures:
    """One pipeline's figures. Raises nothing: a scrape without output counts as 0."""
    series, points = amount(stream.points), sum(stream.points)
    per_point = sum(stream.plain_bytes) / points if points else None
    return PipelineFigures(
        pipeline=fragment.pipeline,
        version=fragment.version,
        parameters=fragment.parameters,
        series=series,
        different_series=len(stream.series),
        points=points,
        bytes=amount(stream.plain_bytes),
        wire_bytes=amount(stream.wire_bytes),
        per_month=per_month(book, series.mean, held.interval_s, per_point),
        critical=tuple(_kept(pattern, stream.critical, raw.critical, facts) for pattern in critical),
        notes=tuple(_notes(fragment, stream, held)),
    )


def _notes(fragment: Fragment, stream: Stream, held: Conditions) -> Iterator[str]:
    yield from unknown(fragment, held.seconds, held.interval_s)
    if len(stream.series) >= MAX_SERIES:
        yield f"different series were counted up to {MAX_SERIES:,} only"


def missed(stream: Stream, raw: Stream, facts: Facts) -> tuple[tuple[MissedProcess, ...], int]:
    """The first critical processes that were lost, and how many there are (process-scrapes)."""
    found = [
        MissedProcess(scrape=number, at_ns=facts.times[number], pattern=pattern, name=wanted[pattern, pid], pid=pid)
        for number, (wanted, sent) in enumerate(zip(raw.critical, stream.critical, strict=True))
        for pattern, pid in sorted(wanted.keys() - sent.keys())
    ]
    return tuple(found[:MAX_MISSED]), len(found)


def _kept(pattern: CriticalPattern, sent: Sequence[Critical], wanted: Sequence[Critical], facts: Facts) -> PatternKept:
    seen = [{key for key in one if key[0] == pattern.id} for one in wanted]
    kept = [scrape & one.keys() for scrape, one in zip(seen, sent, strict=True)]
    marked = {pid for one in wanted for _, pid in one}
    key = NAME if pattern.name is not None else _COMMAND_LINE if pattern.command_line is not None else _OWNER
    return PatternKept(
        pattern=pattern.id,
        processes=len(set().union(*seen)),
        seen=sum(map(len, seen)),
        kept=sum(map(len, kept)),
        hidden=len(facts.hidden.get(key, set()) - marked),
    )
