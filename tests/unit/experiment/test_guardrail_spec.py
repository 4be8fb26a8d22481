"""Guardrails and success criteria as people write them: what is taken, and what is refused with field, rule and fix."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.kpi.registry import KPIS, KpiName
from tests.unit.experiment import made

BACKEND = {"backend": {"otlp": "http://backend:4318/v1/metrics"}}
ARMS = {
    "baseline": {"pipeline": "process-baseline-v1", **BACKEND},
    "candidate": {"pipeline": "process-topk-v1", **BACKEND},
}


def test_every_kpi_can_be_limited_and_goes_through_json() -> None:
    guardrails = {
        "criticalRetention": "100%",
        "series": {"atMost": 5000},
        "points": {"atMost": 20000},
        "bytes": {"atMost": "2MiB"},
        "cost": {"atMost": 400},
        "collectorCpu": {"atMost": "5%"},
        "collectorMemory": {"atMost": "150MiB"},
        "exportFailures": {"atMost": "0.1%", "severity": "pause"},
        "droppedPoints": {"atMost": 0},
        "coverage": {"atLeast": "95%"},
        "scrapeDuration": {"atMost": "2s", "severity": "warn"},
    }
    spec = made.spec(guardrails=guardrails, **ARMS)
    given = spec.guardrails.given()
    assert set(given) == set(KPIS) - {KpiName.CRITICAL_RETENTION}
    assert {kpi: limit.severity for kpi, limit in given.items() if limit.severity != "rollback"} == {
        "exportFailures": "pause",
        "scrapeDuration": "warn",
    }
    assert ExperimentSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec


def test_criteria_are_those_that_are_given_and_half_the_series_without_any() -> None:
    assert made.spec().success.series_reduction is not None
    spec = made.spec(success={"costReduction": {"atLeast": "30%"}})
    assert spec.success.model_dump(exclude_none=True) == {"cost_reduction": {"at_least": 0.3}}
    assert ExperimentSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec


def test_the_long_form_of_critical_retention_means_the_same() -> None:
    spec = made.spec(guardrails={"criticalRetention": {"atLeast": "100%", "severity": "rollback"}})
    assert spec.guardrails == made.spec().guardrails


@pytest.mark.parametrize(
    ("parts", "place", "rule", "fix"),
    [
        ({"guardrails": {"latency": {}}}, ("guardrails", "latency"), "unknown KPI 'latency'", "scrapeDuration"),
        ({"success": {"latency": {}}}, ("success", "latency"), "unknown success criterion", "costReduction"),
        (
            {"guardrails": {"criticalRetention": {"severity": "warn"}}},
            ("guardrails", "criticalRetention"),
            "invariant",
            "dryRun",
        ),
        ({"guardrails": {"criticalRetention": "99%"}}, ("guardrails", "criticalRetention"), "relaxed", "100%"),
        ({"guardrails": {"coverage": {"atMost": 1}}}, ("guardrails", "coverage", "atMost"), "higher is", "atLeast"),
        ({"guardrails": {"cost": {"atLeast": 1}}}, ("guardrails", "cost", "atLeast"), "lower is", "atMost"),
        ({"guardrails": {"series": {"atMost": "5%"}}}, ("guardrails", "series", "atMost"), "without a unit", ""),
        ({"guardrails": {"scrapeDuration": {"atMost": "2%"}}}, ("guardrails", "scrapeDuration", "atMost"), "ms, s", ""),
        ({"guardrails": {"droppedPoints": {"atMost": 5}}}, ("guardrails", "droppedPoints", "atMost"), "5%", ""),
        ({"guardrails": {"collectorCpu": {"atMost": "x%"}}}, ("guardrails", "collectorCpu", "atMost"), "share", ""),
        (
            {"guardrails": {"cost": {"atMost": 1, "severity": "halt"}}},
            ("guardrails", "cost", "severity"),
            "'rollback', 'pause' or 'warn'",
            "",
        ),
        (
            {"guardrails": {"exportFailures": {"atMost": "1%"}}},
            ("guardrails", "exportFailures"),
            "without a backend",
            "backend",
        ),
        ({"success": {"bytesReduction": {"atLeast": "1%"}}}, ("success", "bytesReduction"), "backend", "both arms"),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(
    parts: dict[str, Any], place: tuple[str, ...], rule: str, fix: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        made.spec(**parts)
    (found,) = caught.value.errors()
    assert found["loc"] == place
    assert rule in found["msg"]
    assert fix in str(found.get("ctx", {}).get("fix", ""))
