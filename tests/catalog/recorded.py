"""Recordings made by hand, from scrapes that a test has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from phoenix_cli.recording.form import Header
from phoenix_cli.recording.reader import Recording, open_recording
from phoenix_cli.recording.writer import RecordingWriter
from tests.catalog.brute import HELPER, STAMPED


def recorded(
    path: Path, requests: Iterable[ExportMetricsServiceRequest], *, interval_s: float, collector_started_ns: int
) -> Recording:
    """A whole recording of these scrapes, without what an exporter stamped on them."""
    writer = RecordingWriter(path, 1 << 30)
    writer.begin(
        Header(
            host="made-up",
            interval_s=interval_s,
            started_at=collector_started_ns / 1e9,
            collector_started_ns=collector_started_ns,
            scraper_metrics=(HELPER,),
        )
    )
    for request in requests:
        for resource in request.resource_metrics:
            kept = [pair for pair in resource.resource.attributes if pair.key not in STAMPED]
            del resource.resource.attributes[:]
            resource.resource.attributes.extend(kept)
        assert writer.add(request.SerializeToString())
    writer.finish("duration", collector_started_ns / 1e9 + 60, {})
    return open_recording(path)
