"""The configuration that is run instead of the user's: what is left out, what is refused, where its sinks are."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.validation.trial import OWN, Trial, trial
from chalicelib.domain.validation.view import View
from tests.unit.validation.test_reading import GOOD

NGINX = (CriticalPattern(name="^nginx$"),)
LISTEN, SINK = "127.0.0.1:1", "http://127.0.0.1:2/secret"


def built(tree: dict[str, Any], *, stages: bool = False) -> Trial:
    return trial(View(tree), NGINX, LISTEN, SINK, stages=stages)


def good() -> dict[str, Any]:
    return copy.deepcopy(GOOD)


def kinds(config: dict[str, Any], section: str) -> set[str]:
    return {name.partition("/")[0] for name in config[section]}


@pytest.mark.parametrize("stages", [False, True])
def test_only_our_receiver_and_exporters_are_there(stages: bool) -> None:
    tree = good()
    tree["extensions"] = {"pprof": {}}
    tree["service"]["extensions"] = ["pprof"]
    tree["service"]["telemetry"] = {"logs": {"output_paths": ["/tmp/x"]}}  # noqa: S108
    config = built(tree, stages=stages).config
    assert set(config) == {"receivers", "processors", "connectors", "exporters", "service"}
    assert config["receivers"] == {f"otlp/{OWN}": {"protocols": {"http": {"endpoint": LISTEN}}}}
    assert kinds(config, "exporters") == {"otlp_http"}
    assert all(one["metrics_endpoint"].startswith(f"{SINK}/") for one in config["exporters"].values())
    assert "extensions" not in config["service"]
    assert "output_paths" not in config["service"]["telemetry"]["logs"]
    assert "example.com" not in str(config)


def test_every_component_that_a_pipeline_names_is_configured() -> None:
    for stages in (False, True):
        config = built(good(), stages=stages).config
        connectors = set(config["connectors"])
        for pipeline in config["service"]["pipelines"].values():
            assert set(pipeline["receivers"]) <= set(config["receivers"]) | connectors
            assert set(pipeline["processors"]) <= set(config["processors"])
            assert set(pipeline["exporters"]) <= set(config["exporters"]) | connectors


def test_the_users_processors_are_untouched_but_for_memory_limiter() -> None:
    config = built(good()).config
    assert config["processors"]["filter/a"] == GOOD["processors"]["filter/a"]
    assert config["service"]["pipelines"]["metrics"]["processors"] == ["filter/a", "batch"]


@pytest.mark.parametrize(
    ("section", "kind", "where"),
    [
        ("processors", "resourcedetection", "processors"),
        ("processors", "k8s_attributes", "processors"),
        ("processors", "remotetap/x", "processors"),
        ("connectors", "routing", "exporters"),
    ],
)
def test_what_may_do_more_than_compute_is_not_run(section: str, kind: str, where: str) -> None:
    tree = good()
    tree.setdefault(section, {})[kind] = {}
    tree["service"]["pipelines"]["metrics"][where].append(kind)
    if section == "connectors":
        tree["service"]["pipelines"]["metrics/b"] = {"receivers": [kind], "exporters": ["otlp_http"]}
    found = built(tree)
    assert kind in found.refusal
    assert found.config == {}


def test_an_id_of_ours_is_refused() -> None:
    tree = good()
    tree["exporters"][f"otlp_http/{OWN}.out.0"] = {}
    tree["service"]["pipelines"]["metrics"]["exporters"].append(f"otlp_http/{OWN}.out.0")
    assert OWN in built(tree).refusal


def test_traces_and_what_only_they_feed_are_left_out() -> None:
    tree = good()
    tree["connectors"] = {"count": {}}
    tree["receivers"]["otlp"] = {}
    tree["service"]["pipelines"]["traces"] = {"receivers": ["otlp"], "exporters": ["count"]}
    tree["service"]["pipelines"]["metrics/spans"] = {"receivers": ["count"], "exporters": ["otlp_http"]}
    pipelines = built(tree).config["service"]["pipelines"]
    assert "traces" not in pipelines
    assert "metrics/spans" not in pipelines
    assert "metrics" in pipelines


def test_without_metrics_there_is_nothing_to_run() -> None:
    tree = good()
    tree["service"]["pipelines"] = {"logs": {"receivers": ["hostmetrics"], "exporters": ["otlp_http"]}}
    assert built(tree).idle


def test_what_the_scraper_leaves_out_is_left_out_in_its_own_stage() -> None:
    tree = good()
    tree["receivers"]["hostmetrics"]["scrapers"]["process"] = {
        "include": {"names": ["^a$$"], "match_type": "regexp"},
        "metrics": {"process.disk.io": {"enabled": False}},
        "resource_attributes": {"process.command_line": {"enabled": False}},
    }
    processors = built(tree).config["processors"]
    conditions = processors[f"filter/{OWN}.hostmetrics"]["metric_conditions"]
    assert 'metric.name == "process.disk.io"' in conditions
    assert 'metric.name == "process.cpu.utilization"' in conditions
    assert any('"^a$$"' in condition and condition.startswith("not ") for condition in conditions)
    removed = processors[f"resource/{OWN}.hostmetrics"]["attributes"]
    assert removed == [{"key": "process.command_line", "action": "delete"}]
