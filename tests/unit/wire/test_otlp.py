"""OTLP requests: captured from a real collector, and hostile."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.adapters.otlp.metrics import JSON, PROTOBUF, OtlpMetricsCodec
from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.measurement import ExporterCounters, Variant

DATA = Path(__file__).parent / "data"
COUNTS = (DATA / "counts.otlp.gz").read_bytes()
SELF = (DATA / "selfmetrics.otlp.gz").read_bytes()
Request = metrics_service_pb2.ExportMetricsServiceRequest
Change = Callable[[metrics_pb2.ResourceMetrics], object]


def changed(change: Change, body: bytes = COUNTS) -> bytes:
    """The captured request with its first resource changed."""
    request = Request.FromString(gzip.decompress(body))
    change(request.resource_metrics[0])
    return request.SerializeToString()


def metric(resource: metrics_pb2.ResourceMetrics, name: str) -> metrics_pb2.Metric:
    return next(one for scope in resource.scope_metrics for one in scope.metrics if one.name == name)


def test_captured_counts_are_read() -> None:
    telemetry = OtlpMetricsCodec().decode(COUNTS, PROTOBUF)
    found = {count.variant: (count.series, len(count.critical)) for count in telemetry.counts}
    assert found == {Variant.BASELINE: (537, 11), Variant.CANDIDATE: (89, 11), Variant.RAW: (537, 11)}
    one = telemetry.counts[0]
    assert (one.scope, one.host, one.marker) == ("exp-1", "vm-a", "d6752ff15f8454a3.1")
    assert 0 < one.end_ns - one.start_ns < 1e9
    assert {process.name for process in one.critical} == {"bash", "python", "sleep"}
    assert all(process.pid > 0 for process in one.critical)
    assert telemetry.refused_points == 0


def test_captured_telemetry_of_the_collector_is_read() -> None:
    telemetry = OtlpMetricsCodec().decode(SELF, PROTOBUF)
    (sample,) = telemetry.samples
    assert sample.cpu_seconds == pytest.approx(0.46)
    assert (sample.rss_bytes, sample.accepted_points, sample.refused_points) == (56_709_120, 5145, 0)
    assert sample.exporters["otlp_http/baseline"] == ExporterCounters(sent_points=3759, sent_bytes=612_752)
    assert sample.exporters["otlp_http/candidate"] == ExporterCounters(
        sent_points=0, sent_bytes=92_783, failed_points=630
    )
    assert (sample.scope, sample.host, sample.marker) == ("exp-1", "vm-a", "d6752ff15f8454a3.1")
    assert sample.start_ns < sample.time_ns


def test_json_says_the_same() -> None:
    for body in (COUNTS, SELF):
        text = json_format.MessageToJson(Request.FromString(gzip.decompress(body))).encode()
        codec = OtlpMetricsCodec()
        assert codec.decode(text, "application/json; charset=utf-8") == codec.decode(body, PROTOBUF)


def test_metrics_of_others_are_passed_over() -> None:
    def rename(resource: metrics_pb2.ResourceMetrics) -> None:
        for name in ("phoenix.series", "phoenix.critical.processes"):
            metric(resource, name).name = "someone.elses"

    telemetry = OtlpMetricsCodec().decode(changed(rename), PROTOBUF)
    assert len(telemetry.counts) == 2
    assert telemetry.refused_points == 0


def set_series(value: float | int) -> Change:
    def change(resource: metrics_pb2.ResourceMetrics) -> None:
        point = metric(resource, "phoenix.series").sum.data_points[0]
        if isinstance(value, float):
            point.as_double = value
        else:
            point.as_int = value

    return change


def cumulative(resource: metrics_pb2.ResourceMetrics) -> None:
    metric(resource, "phoenix.series").sum.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE


def gauge(resource: metrics_pb2.ResourceMetrics) -> None:
    metric(resource, "phoenix.series").gauge.data_points.add(as_int=1)


def backwards(resource: metrics_pb2.ResourceMetrics) -> None:
    metric(resource, "phoenix.series").sum.data_points[0].time_unix_nano = 1


def no_pid(resource: metrics_pb2.ResourceMetrics) -> None:
    del metric(resource, "phoenix.critical.processes").sum.data_points[3].attributes[-1]


def other_time(resource: metrics_pb2.ResourceMetrics) -> None:
    metric(resource, "phoenix.critical.processes").sum.data_points[3].time_unix_nano += 1


def long_pattern(resource: metrics_pb2.ResourceMetrics) -> None:
    metric(resource, "phoenix.critical.processes").sum.data_points[0].attributes[0].value.string_value = "x" * 65


def many_critical(resource: metrics_pb2.ResourceMetrics) -> None:
    points = metric(resource, "phoenix.critical.processes").sum.data_points
    points.extend([points[0]] * 2000)


def many_points(resource: metrics_pb2.ResourceMetrics) -> None:
    points = metric(resource, "phoenix.series").sum.data_points
    points.extend([points[0]] * 20_000)


def attribute(key: str, value: str) -> Change:
    def change(resource: metrics_pb2.ResourceMetrics) -> None:
        next(one for one in resource.resource.attributes if one.key == key).value.string_value = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_series(-1), "finite number"),
        (set_series(float("nan")), "finite number"),
        (set_series(float("inf")), "finite number"),
        (set_series(1.5), "whole number"),
        (cumulative, "not delta"),
        (gauge, "no sum"),
        (backwards, "start and end"),
        (no_pid, "process.pid"),
        (other_time, "same time"),
        (long_pattern, "phoenix.critical is longer"),
        (many_critical, "more than 2000 critical"),
        (many_points, "more than 20000 points"),
        (attribute("phoenix.variant", "third"), "phoenix.variant"),
        (attribute("phoenix.scope", ""), "phoenix.scope is missing"),
        (attribute("phoenix.scope", "x" * 129), "phoenix.scope is longer"),
        (attribute("phoenix.host", "x" * 254), "phoenix.host is longer"),
    ],
)
def test_unsound_count_is_refused_whole_with_a_reason(change: Change, reason: str) -> None:
    codec = OtlpMetricsCodec()
    telemetry = codec.decode(changed(change), PROTOBUF)
    assert Variant.BASELINE not in {count.variant for count in telemetry.counts}
    assert telemetry.refused_points > 0
    assert any(reason in one for one in telemetry.reasons)
    answer = metrics_service_pb2.ExportMetricsServiceResponse.FromString(codec.encode_success(telemetry, PROTOBUF))
    assert answer.partial_success.rejected_data_points == telemetry.refused_points
    assert reason in answer.partial_success.error_message


def test_bad_metric_of_the_collector_leaves_the_others() -> None:
    def change(resource: metrics_pb2.ResourceMetrics) -> None:
        metric(resource, "otelcol_process_cpu_seconds").sum.data_points[0].as_double = float("nan")

    (sample,) = OtlpMetricsCodec().decode(changed(change, SELF), PROTOBUF).samples
    assert sample.cpu_seconds is None
    assert sample.rss_bytes == 56_709_120


def test_too_many_exporters_are_refused() -> None:
    def change(resource: metrics_pb2.ResourceMetrics) -> None:
        points = metric(resource, "otelcol_exporter_sent_metric_points").sum.data_points
        for index in range(40):
            point = points.add()
            point.CopyFrom(points[0])
            next(one for one in point.attributes if one.key == "exporter").value.string_value = f"otlp_http/{index}"

    telemetry = OtlpMetricsCodec().decode(changed(change, SELF), PROTOBUF)
    assert telemetry.refused_points == 43
    assert "more than 32 exporters" in telemetry.reasons


def test_process_names_are_cut_and_lose_control_characters() -> None:
    def change(resource: metrics_pb2.ResourceMetrics) -> None:
        point = metric(resource, "phoenix.critical.processes").sum.data_points[0]
        next(one for one in point.attributes if one.key == "process.executable.name").value.string_value = (
            "\x1b" + "n" * 999
        )

    telemetry = OtlpMetricsCodec().decode(changed(change), PROTOBUF)
    assert telemetry.counts[0].critical[0].name == "n" * 255 + "…"


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, ""])
@pytest.mark.parametrize("body", [b"garbage", b"\xff" * 20, b"\x1f\x8bgarbage", b"[" * 5000])
def test_garbage_is_invalid(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput):
        OtlpMetricsCodec().decode(body, content_type)


def test_bombs_are_too_large() -> None:
    with pytest.raises(TooLarge):
        OtlpMetricsCodec().decode(gzip.compress(b"\0" * 10_000_000), PROTOBUF)


def test_answer_in_json() -> None:
    codec = OtlpMetricsCodec()
    assert codec.encode_success(codec.decode(COUNTS, PROTOBUF), JSON) == b"{}"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([PROTOBUF, JSON]))
def test_no_bytes_lead_to_anything_but_telemetry_or_our_own_errors(body: bytes, content_type: str) -> None:
    try:
        OtlpMetricsCodec().decode(body, content_type)
    except (InvalidInput, TooLarge):
        return
