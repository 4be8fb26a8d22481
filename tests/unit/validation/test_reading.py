"""Each rule that is decided by reading, with the least that breaks it and the least that does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chalicelib.domain.validation.reading import by_reading, outside
from chalicelib.domain.validation.view import View, shape

GOOD: dict[str, Any] = {
    "receivers": {"hostmetrics": {"scrapers": {"process": {}}}},
    "processors": {
        "memory_limiter": {"limit_mib": 200},
        "filter/a": {"error_mode": "propagate", "metric_conditions": ["false"]},
        "batch": {},
    },
    "exporters": {
        "otlp_http": {"endpoint": "https://otlp.example.com", "headers": {"authorization": "Bearer ${env:BACKEND}"}}
    },
    "service": {
        "pipelines": {
            "metrics": {
                "receivers": ["hostmetrics"],
                "processors": ["memory_limiter", "filter/a", "batch"],
                "exporters": ["otlp_http"],
            }
        }
    },
}


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The good one with one part replaced."""
    tree = copy.deepcopy(GOOD)
    here: Any = tree
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = to
    return tree


def findings(tree: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.pointer) for one in (*shape(tree), *outside(View(tree).tree), *by_reading(View(tree)))]


METRICS = ("service", "pipelines", "metrics")
AT = "/service/pipelines/metrics"


def test_a_good_configuration_has_no_findings() -> None:
    assert findings(GOOD) == []


@pytest.mark.parametrize(
    ("tree", "rule", "pointer"),
    [
        (changed("surprise", to={}), "PHX-V003", "/surprise"),
        (changed("processors", to=[]), "PHX-V003", "/processors"),
        (changed("service", to={"pipelines": {}}), "PHX-V003", "/service/pipelines"),
        (changed(*METRICS, to=None), "PHX-V003", AT),
        (changed(*METRICS, "receivers", to={"a": 1}), "PHX-V003", f"{AT}/receivers"),
        (
            changed("exporters", "otlp_http", "endpoint", to="${file:/etc/passwd}"),
            "PHX-V004",
            "/exporters/otlp_http/endpoint",
        ),
        (changed(*METRICS, "exporters", to=["otlp_http", "nope"]), "PHX-V005", f"{AT}/exporters/1"),
        (changed("service", "extensions", to=["nope"]), "PHX-V005", "/service/extensions/0"),
        (
            changed("exporters", "otlp_http", "headers", to={"authorization": "Bearer abcdefgh"}),
            "PHX-V101",
            "/exporters/otlp_http/headers/authorization",
        ),
        (
            changed("exporters", "otlp_http", "headers", to={"authorization": "Bearer ${env:PHOENIX_TOKEN}"}),
            "PHX-V102",
            "/exporters/otlp_http/headers/authorization",
        ),
        (changed("exporters", "logging", to={}), "PHX-V110", "/exporters/logging"),
        (changed("processors", "batch/2", to={}), "PHX-V111", "/processors/batch~12"),
        (changed("extensions", to={"pprof": {}}), "PHX-V111", "/extensions/pprof"),
        (changed(*METRICS, "processors", to=["filter/a", "batch"]), "PHX-V120", f"{AT}/processors"),
        (
            changed(*METRICS, "processors", to=["filter/a", "memory_limiter", "batch"]),
            "PHX-V121",
            f"{AT}/processors/1",
        ),
        (
            changed(*METRICS, "processors", to=["memory_limiter", "batch", "filter/a"]),
            "PHX-V122",
            f"{AT}/processors/1",
        ),
        (changed("processors", "filter/a", "error_mode", to="ignore"), "PHX-V161", "/processors/filter~1a/error_mode"),
        (changed("processors", "filter/a", to={}), "PHX-V161", "/processors/filter~1a"),
    ],
)
def test_each_rule_finds_its_fault_at_its_place(tree: Any, rule: str, pointer: str) -> None:
    assert (rule, pointer) in findings(tree)


@pytest.mark.parametrize(
    ("endpoint", "loopback"),
    [
        ("http://localhost:4318", True),
        ("127.0.0.1:4317", True),
        ("http://127.8.9.1", True),
        ("[::1]:4317", True),
        ("0.0.0.0:4317", True),
        ("https://localhost.example.com", False),
        ("https://example.com/localhost", False),
        ("${env:BACKEND}", False),
        ("http://[::1", False),
    ],
)
def test_loopback_is_told_from_other_addresses(endpoint: str, loopback: bool) -> None:
    tree = changed("exporters", "otlp_http", "endpoint", to=endpoint)
    assert (("PHX-V160", "/exporters/otlp_http/endpoint") in findings(tree)) is loopback


def test_a_pipeline_behind_a_connector_needs_no_memory_limiter() -> None:
    tree = changed("connectors", to={"forward": {}})
    tree["service"]["pipelines"]["metrics"]["exporters"].append("forward")
    tree["service"]["pipelines"]["metrics/out"] = {"receivers": ["forward"], "exporters": ["otlp_http"]}
    assert findings(tree) == []


@pytest.mark.parametrize("tree", [None, [], "text", 1, {}, {"service": []}, {"service": {"pipelines": [1]}}])
def test_anything_else_is_no_configuration_and_no_crash(tree: Any) -> None:
    assert findings(tree)[0][0] == "PHX-V003"


def test_no_secret_is_repeated_in_a_finding() -> None:
    tree = changed("exporters", "otlp_http", "headers", to={"api-key": "hunter2hunter2"})
    assert "hunter2" not in str(by_reading(View(tree)))
