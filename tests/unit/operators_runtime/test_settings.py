"""Settings of the operator, validation beside the event loop, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest

from chalicelib.domain.errors import InvalidInput
from operators.engine.caches import Caches
from operators.engine.objects import CONFIG_MAP
from operators.engine.reconciler import Watched
from operators.pipelines.names import PIPELINE
from operators.runtime.logs import JsonLines
from operators.runtime.metrics import Metrics
from operators.runtime.settings import Settings, read
from operators.runtime.validating import ThreadedValidator
from tests.fakes.kubernetes import fill

ENVIRONMENT = {"PHOENIX_OPERATOR_COLLECTOR_IMAGE": "collector:1", "PHOENIX_OTELCOL": "/bin/otelcol"}


def given(*flags: str, **environment: str) -> Settings:
    return read(flags, {**ENVIRONMENT, **environment}, Path("/catalog"), "pod-1")


def test_flags_come_before_the_environment_and_that_before_defaults() -> None:
    settings = given("--namespaces", "a, b", "--workers=3", PHOENIX_OPERATOR_WORKERS="5", POD_NAMESPACE="phoenix")
    assert settings.namespaces == ("a", "b")
    assert (settings.workers, settings.pull_policy, settings.own_namespace) == (3, "IfNotPresent", "phoenix")
    assert given(PHOENIX_OPERATOR_LEADER_ELECTION="true").leader_election
    assert not given("--no-leader-election", PHOENIX_OPERATOR_LEADER_ELECTION="true").leader_election


def test_what_is_missing_is_named_with_its_flag() -> None:
    with pytest.raises(InvalidInput, match=r"--collector-image.*--otelcol"):
        read([], {}, Path("/catalog"), "pod-1")


@pytest.mark.parametrize("flags", [["--metrics-port=70000"], ["--workers=0"], ["--nonsense"], ["--log-level=loud"]])
def test_a_wrong_flag_ends_with_usage(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        given(*flags)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_same_question_asked_meanwhile_is_asked_once() -> None:
    asked = []

    class Slow:
        def validate(self, config: Mapping[str, Any]) -> str | None:
            asked.append(config)
            return "no"

    async def story() -> None:
        validating = ThreadedValidator(Slow())
        answers = await asyncio.gather(*(validating.refusal({"a": 1}) for _ in range(5)), validating.refusal({"a": 2}))
        assert answers == ["no"] * 6
        assert len(asked) == 2
        assert "no YAML" in str(await validating.refusal({"a": float("nan")}))

    asyncio.run(story())


def test_metrics_count_reconciles_requests_and_resources_by_readiness() -> None:
    metrics = Metrics()
    caches = Caches([Watched(PIPELINE), Watched(CONFIG_MAP, "o", "o"), Watched(CONFIG_MAP, "p", "p")])
    things = [
        {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}
        for name, ready in (("a", "True"), ("b", "False"), ("c", "True"))
    ]
    fill(next(iter(caches)), things, "1")
    metrics.watch(caches, lambda: 7)
    metrics.reconciled("pipelines", "done", 0.01)
    metrics.requested("patch", CONFIG_MAP, 200)
    metrics.leading(True)
    text = generate_latest(metrics.registry).decode()
    assert 'phoenix_operator_reconciles_total{controller="pipelines",outcome="done"} 1.0' in text
    assert 'phoenix_operator_api_requests_total{code="200",resource="configmaps",verb="patch"} 1.0' in text
    assert 'phoenix_operator_resources{ready="True",resource="phoenixprocesspipelines"} 2.0' in text
    assert text.count('phoenix_operator_resources{ready="",resource="configmaps"} 0.0') == 1
    assert "phoenix_operator_queue_depth 7.0" in text
    assert "phoenix_operator_leading 1.0" in text


def test_a_log_line_is_one_object_whatever_is_in_it() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, 'a "quoted"\nline %s', ("ä",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == 'a "quoted"\nline ä'
