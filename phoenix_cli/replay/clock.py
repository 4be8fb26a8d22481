"""How a replayed pipeline sees time. Points carry the time of their scrape; most pipelines read nothing else, and see
the recording's own times.

One component compares those with its own clock: cumulativetodelta counts a process in full from its first scrape on
only when that began after the collector did. For pipelines with it every time of the recording is moved by one and the
same span, so that the replaying collector began when the recorded one did. Times between points stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chalicelib.domain.pipeline.rendering import Fragment, built_in
from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.points import data_points

_COMPARES = "cumulativetodelta"
_BY_THE_CLOCK = re.compile(r"time_unix_nano\s*[/%]|UnixNano\(|\btime\s*[/%]")
_NOW = re.compile(r"\bNow\(")
_LAST_NS = 2**63 - 1


def reads_own_clock(fragment: Fragment) -> bool:
    """Whether times must be moved for this pipeline."""
    return any(_kind(name) == _COMPARES for name in fragment.order)


def unknown(fragment: Fragment, seconds: float, interval_s: float) -> Iterator[str]:
    """What a replay of so many seconds, scraped every so many, cannot tell about this pipeline, in words."""
    text = json.dumps(fragment.processors)
    if _NOW.search(text):
        yield "it reads the wall clock (Now): what depends on that cannot be known from a replay"
    if reads_own_clock(fragment):
        if _BY_THE_CLOCK.search(text):
            yield (
                "it takes turns by the clock and converts counters: in which scrape a process has its turn cannot be "
                "known from a replay"
            )
        forgets = built_in(interval_s)["forget_process"]
        if seconds > float(str(forgets).removesuffix("s")):
            yield f"counters of a process that was out of sight for {forgets} are forgotten on a host, not in a replay"


def moved(request: ExportMetricsServiceRequest, by_ns: int) -> ExportMetricsServiceRequest:
    """A copy with every time moved. Raises RecordingUnusable for times that no clock has."""
    out = ExportMetricsServiceRequest()
    out.CopyFrom(request)
    for resource in out.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in data_points(metric):
                    point.time_unix_nano = _moved(point.time_unix_nano, by_ns)
                    if point.start_time_unix_nano:
                        point.start_time_unix_nano = _moved(point.start_time_unix_nano, by_ns)
    return out


def _moved(time_ns: int, by_ns: int) -> int:
    out = time_ns + by_ns
    if not 0 < out <= _LAST_NS:
        raise RecordingUnusable(f"the recording has a point at {time_ns} ns since 1970, which no clock of a host shows")
    return out


def _kind(processor: str) -> str:
    return processor.partition("/")[0]
