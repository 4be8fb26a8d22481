"""What collectors and supervisors call: OpAMP polls and OTLP metrics, binary, with the host's own token; measurements
of nodes with that of their cluster."""

from __future__ import annotations

from chalicelib.api.furniture.route import JSON, PROTOBUF, Binary, Kind, Request, Route
from chalicelib.domain.access import Role
from chalicelib.services.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    def opamp(request: Request) -> Binary:
        return Binary(services.fleet.exchange(request.principal, request.body))

    def second(request: Request) -> Binary:
        return Binary(services.fleet.exchange(request.principal, request.body, second=True))

    def metrics(request: Request) -> Binary:
        kind = (request.headers.get("content-type") or PROTOBUF).split(";")[0].strip().lower()
        kind = JSON if kind == JSON else PROTOBUF
        return Binary(services.ingest.take(request.principal, request.body, kind), kind)

    return (
        Route("POST", "/v1/opamp", Role.HOST, opamp, "One OpAMP message (AgentToServer)", kind=Kind.BINARY),
        Route(
            "POST",
            "/v1/opamp/second",
            Role.HOST,
            second,
            "One OpAMP message of a host's second collector (dedicated mode)",
            kind=Kind.BINARY,
        ),
        Route("POST", "/v1/metrics", Role.SENDER, metrics, "OTLP metrics of a collector", kind=Kind.BINARY),
    )
