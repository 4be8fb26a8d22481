"""From a spec to a configuration: the catalog's pipelines, secrets as references, the way to ask which one runs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.domain.kubernetes.exchange import config_hash
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec
from chalicelib.domain.pipeline.references import environment_names
from operators.pipelines.additions import with_additions
from operators.pipelines.confirmation import answer_in
from operators.pipelines.distinct import finished
from operators.pipelines.rendering import Rendered, rendered
from phoenix_cli.binaries.resolve import resolve_collector
from tests.unit.operators_pipelines.world import CATALOG, OWN

AB: dict[str, Any] = {
    "variants": [
        {
            "name": "baseline",
            "pipeline": "process-baseline-v1",
            "backend": {
                "url": {"name": "backend", "key": "url"},
                "headers": {"X-Key": {"name": "backend", "key": "k"}},
            },
        },
        {
            "name": "candidate",
            "pipeline": "process-topk-v1",
            "parameters": {"k": 10},
            "backend": {"protocol": "remoteWrite", "url": {"name": "prom", "key": "url"}},
        },
    ],
    "interval": "5s",
    "critical": [{"id": "db", "name": "^postgres$"}],
    "kpi": {"secretRef": {"name": "phoenix"}},
}


def made(spec: dict[str, Any]) -> Rendered:
    return rendered(PhoenixProcessPipelineSpec.model_validate(spec), "own-scope", CATALOG)


def test_a_shared_ab_reads_every_secret_and_the_node_s_name_from_its_environment() -> None:
    result = made(AB)
    assert result.label == "process-baseline-v1 against process-topk-v1 k=10"
    assert environment_names(result.config) == {
        "PHOENIX_HOST",
        "PHOENIX_TOKEN",
        "PHOENIX_KPI_ENDPOINT",
        "PHOENIX_BACKEND_BASELINE_URL",
        "PHOENIX_BACKEND_BASELINE_HEADER_X_Key",
        "PHOENIX_BACKEND_CANDIDATE_URL",
    }
    exporters = result.config["exporters"]
    assert exporters["otlp_http/control"]["metrics_endpoint"] == "${env:PHOENIX_KPI_ENDPOINT}/v1/metrics"
    assert exporters["prometheus_remote_write/candidate"]["endpoint"] == "${env:PHOENIX_BACKEND_CANDIDATE_URL}"
    assert "stand-in" not in repr(result.config)
    assert "own-scope" in repr(result.config)
    keys = {(one.name, one.secret.name, one.secret.key) for one in result.variables}
    assert ("PHOENIX_TOKEN", "phoenix", "token") in keys
    assert ("PHOENIX_KPI_ENDPOINT", "phoenix", "endpoint") in keys
    assert ("PHOENIX_BACKEND_BASELINE_HEADER_X_Key", "backend", "k") in keys


def test_the_real_collector_takes_what_is_rendered_with_what_is_added() -> None:
    validator = CollectorValidator(resolve_collector(os.environ, print))
    for spec in (AB, {"variants": [{"pipeline": "process-baseline-v1"}]}, {"config": OWN}):
        assert validator.validate(with_additions(made(spec).config, "0" * 64)) is None


def test_without_counts_each_series_still_names_its_node() -> None:
    config = made({"variants": [{"pipeline": "process-baseline-v1"}]}).config
    attributes = config["processors"]["resource/deployed"]["attributes"]
    assert {"key": "host.name", "value": "${env:PHOENIX_HOST}", "action": "insert"} in attributes


def test_the_limiter_refuses_before_the_kernel_ends_the_collector() -> None:
    def limit(memory: str) -> int:
        spec = {"variants": [{"pipeline": "process-baseline-v1"}], "resources": {"limits": {"memory": memory}}}
        found: int = made(spec).config["processors"]["memory_limiter"]["limit_mib"]
        return found

    assert [limit("256Mi"), limit("2Gi"), limit("32Mi")] == [204, 400, 50]


def test_a_configuration_of_one_s_own_is_taken_as_it_is() -> None:
    result = made({"config": OWN})
    assert result.config == OWN
    assert finished(result.config).config_hash == config_hash(OWN)
    assert result.label == "own configuration"


@pytest.mark.parametrize("telemetry", [{}, {"metrics": {"level": "none", "readers": []}}, {"resource": {"a": "b"}}])
def test_every_configuration_gets_a_reader_and_its_hash_and_keeps_the_rest(telemetry: dict[str, Any]) -> None:
    config = {**OWN, "service": {**OWN["service"], "telemetry": telemetry}}
    before = repr(config)
    out = with_additions(config, "f" * 64)["service"]["telemetry"]
    assert repr(config) == before
    assert out["resource"]["phoenix.config.hash"] == "f" * 64
    assert out["metrics"]["readers"][-1]["pull"]["exporter"]["prometheus"]["port"] == 8888
    assert out["metrics"].get("level") != "none"
    assert out["resource"].items() >= telemetry.get("resource", {}).items()


def test_a_resource_in_the_list_form_stays_in_it() -> None:
    """The collector refuses a mixture of both forms."""
    telemetry = {"resource": {"attributes": [{"name": "a", "value": "b"}]}}
    out = with_additions({"service": {"telemetry": telemetry}}, "f" * 64)
    assert out["service"]["telemetry"]["resource"] == {
        "attributes": [{"name": "a", "value": "b"}, {"name": "phoenix.config.hash", "value": "f" * 64}]
    }


def test_an_answer_is_a_hash_or_a_reason() -> None:
    good = b'# TYPE target_info gauge\ntarget_info{phoenix_config_hash="%s",service_name="x"} 1\nother 2\n' % (
        b"a" * 64
    )
    assert answer_in(good).config_hash == "a" * 64
    assert answer_in(good.replace(b"phoenix_config_hash", b"evil_phoenix_config_hash")).reason
    assert answer_in(b'target_info{phoenix_config_hash="<script>"} 1\n').config_hash == ""
    assert answer_in(b"").reason == "its metrics have no target_info"
