"""OTLP metrics requests: bytes to Telemetry, and the answer. Which numbers are sound is in counts and selfmetrics;
whether the sender may speak for a host is the service's question."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2

from chalicelib.adapters.otlp.counts import Origin, read_counts
from chalicelib.adapters.otlp.points import Tally, Unusable, attributes, text
from chalicelib.adapters.otlp.selfmetrics import NAMES, read_sample
from chalicelib.adapters.wire.body import plain
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.domain.pipeline.kpi import CRITICAL_PROCESSES, SERIES
from chalicelib.ports.wire import Telemetry

MAX_BODY_BYTES = 4 * 1024 * 1024
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_COUNTED = frozenset((SERIES, CRITICAL_PROCESSES))
_IDENTITY = frozenset(("phoenix.scope", "phoenix.host", "phoenix.config", "phoenix.variant"))
_MAX_RESOURCES = 1_000


class OtlpMetricsCodec:
    """Implements ports.wire.MetricsCodec."""

    def decode(self, body: bytes, content_type: str) -> Telemetry:
        """See the port."""
        request = _parse(plain(body, MAX_BODY_BYTES), content_type)
        tally = Tally()
        counts: list[Count] = []
        samples: list[CollectorSample] = []
        for index, resource in enumerate(request.resource_metrics):
            counted, own = _ours(resource)
            try:
                if index >= _MAX_RESOURCES:
                    raise Unusable(f"more than {_MAX_RESOURCES} resources in one request")
                if counted:
                    counts += read_counts(_origin(resource), counted, tally)
                if own and (sample := read_sample(_origin(resource), own, tally)):
                    samples.append(sample)
            except Unusable as e:
                tally.refuse(e, (*counted, *own))
        return Telemetry(tuple(counts), tuple(samples), tally.refused, tuple(tally.reasons))

    def encode_success(self, telemetry: Telemetry, content_type: str) -> bytes:
        """See the port."""
        response = metrics_service_pb2.ExportMetricsServiceResponse()
        if telemetry.refused_points:
            response.partial_success.rejected_data_points = telemetry.refused_points
            response.partial_success.error_message = "; ".join(telemetry.reasons)[:1000]
        if _is_json(content_type):
            return json_format.MessageToJson(response, indent=None).encode()
        return response.SerializeToString()


def _parse(body: bytes, content_type: str) -> metrics_service_pb2.ExportMetricsServiceRequest:
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    try:
        _read(body, content_type, request)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError, ValueError) as e:
        raise InvalidInput(
            "the body is no OTLP ExportMetricsServiceRequest",
            hint=f"send protobuf as {PROTOBUF}, or JSON as {JSON}; plain or gzip",
        ) from e
    return request


def _read(body: bytes, content_type: str, request: Message) -> None:
    if _is_json(content_type):
        json_format.Parse(body.decode(), request, ignore_unknown_fields=True, max_recursion_depth=50)
    else:
        request.ParseFromString(body)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _ours(resource: metrics_pb2.ResourceMetrics) -> tuple[list[metrics_pb2.Metric], list[metrics_pb2.Metric]]:
    metrics = list(_metrics(resource))
    return [one for one in metrics if one.name in _COUNTED], [one for one in metrics if one.name in NAMES]


def _metrics(resource: metrics_pb2.ResourceMetrics) -> Iterator[metrics_pb2.Metric]:
    for scope in resource.scope_metrics:
        yield from scope.metrics


def _origin(resource: metrics_pb2.ResourceMetrics) -> Origin:
    said = attributes(resource.resource.attributes, _IDENTITY)
    return Origin(
        scope=text(said, "phoenix.scope", 128),
        host=text(said, "phoenix.host", 253),
        marker=text(said, "phoenix.config", 64, required=False),
        variant=text(said, "phoenix.variant", 32, required=False),
    )
