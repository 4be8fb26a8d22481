"""A user's own configuration: what is added to it, and what keeps it from being deployed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.instrument import instrument
from chalicelib.domain.pipeline.request import Kpi

KPI = Kpi(endpoint="https://phoenix.example", scope="dep-1", host="h1")


def own(**exporter: Any) -> dict[str, Any]:
    return {
        "receivers": {"hostmetrics": {"scrapers": {"process": None}}},
        "exporters": {"otlp_http": {"endpoint": "https://x.example/?a=b", **exporter}},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlp_http"]}}},
    }


def refused(config: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        instrument(config, KPI)
    return [problem.pointer for problem in caught.value.problems]


def test_only_telemetry_is_added() -> None:
    config = own(headers={"authorization": "Bearer ${env:TOKEN}"})
    before = copy.deepcopy(config)
    out = instrument(config, KPI)
    assert config == before
    telemetry = out["service"].pop("telemetry")
    assert out == before
    assert telemetry["resource"] == {"phoenix.scope": "dep-1", "phoenix.host": "h1"}
    assert telemetry["metrics"]["level"] == "detailed"
    assert telemetry["metrics"]["readers"][0]["periodic"]["exporter"]["otlp"]["endpoint"].endswith("/v1/metrics")


def test_what_telemetry_there_was_stays() -> None:
    config = own()
    reader = {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": 18888}}}}
    config["service"]["telemetry"] = {
        "logs": {"level": "debug"},
        "resource": {"attributes": [{"name": "team", "value": "x"}]},
        "metrics": {"level": "basic", "readers": [reader]},
    }
    telemetry = instrument(config, KPI)["service"]["telemetry"]
    assert telemetry["logs"] == {"level": "debug"}
    assert telemetry["resource"] == {"team": "x", "phoenix.scope": "dep-1", "phoenix.host": "h1"}
    assert telemetry["metrics"]["readers"][0] == reader
    assert len(telemetry["metrics"]["readers"]) == 2


@pytest.mark.parametrize(
    ("exporter", "pointer"),
    [
        ({"headers": {"authorization": "abc"}}, "/exporters/otlp_http/headers/authorization"),
        ({"headers": {"x-api-key": "abc"}}, "/exporters/otlp_http/headers/x-api-key"),
        ({"headers": {"x-other": "Bearer abc"}}, "/exporters/otlp_http/headers/x-other"),
        ({"auth": {"password": "abc"}}, "/exporters/otlp_http/auth/password"),
        ({"token": "${env:T:-abc}"}, "/exporters/otlp_http/token"),
        ({"x": "https://u:p@host"}, "/exporters/otlp_http/x"),
        ({"x": "${file:/etc/passwd}"}, "/exporters/otlp_http/x"),
        ({"x": "${env:${file:/x}}"}, "/exporters/otlp_http/x"),
        ({"headers": {"x": "${env:PHOENIX_TOKEN}"}}, "/exporters/otlp_http/headers/x"),
    ],
    ids=str,
)
def test_what_must_not_pass_is_named_by_its_path(exporter: dict[str, Any], pointer: str) -> None:
    assert pointer in refused(own(**exporter))


def test_all_problems_are_named_at_once() -> None:
    assert refused({"receivers": {}, "exporters": {"x": {"token": "a"}}}) == [
        "/receivers",
        "/service/pipelines",
        "/exporters/x/token",
    ]


def test_a_bottomless_configuration_is_refused() -> None:
    tree: dict[str, Any] = {}
    for _ in range(100):
        tree = {"x": tree}
    assert refused(tree) == [""]


def test_headers_without_credentials_may_be_literal() -> None:
    config = own(headers={"x-scope-orgid": "team-a"})
    assert instrument(config, KPI)["exporters"] == config["exporters"]
