"""The chart agrees with the code: version, ports, metrics, settings; every value is explained and checked. Helm itself,
and a real cluster, have their own tests (tests/kubernetes/test_chart.py)."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chalicelib.domain.kubernetes.load_job import LOAD_PORT
from chalicelib.settings import ROOT
from images.contents import version
from operators.pipelines.names import COMPONENT, METRICS_PORT
from operators.runtime.maintenance import COMMANDS, parser
from operators.runtime.metrics import Metrics

CHART = ROOT / "charts" / "phoenix"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))
TEMPLATES = {path: path.read_text("utf-8") for path in sorted((CHART / "templates").rglob("*.*"))}


def paths(values: dict[str, Any], schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Every value's path, as far as the schema knows fields by name."""
    for name, value in values.items():
        inner = schema["properties"][name]
        if isinstance(value, dict) and inner.get("properties") and name != "resources":
            yield from paths(value, inner, f"{at}{name}.")
        else:
            yield at + name


def test_the_charts_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == chart["appVersion"] == version()


def test_every_value_is_in_the_schema_and_the_schema_has_no_other() -> None:
    def same(values: dict[str, Any], schema: dict[str, Any], at: str) -> None:
        assert schema["additionalProperties"] is False, at
        assert values.keys() == schema["properties"].keys() - {"global"}, at
        for name, inner in schema["properties"].items():
            if inner.get("properties") and name not in ("requests", "limits"):
                same(values[name], inner, f"{at}.{name}")

    same(VALUES, SCHEMA, "values")


def test_every_value_is_explained_and_used() -> None:
    readme = (CHART / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", readme, re.MULTILINE)
    explained = set()
    for row in rows:
        names = re.findall(r"`([^`]+)`", row)
        room = names[0].rpartition(".")[0]
        explained |= {name if not name.startswith(".") else room + name for name in names}
    used = "\n".join(TEMPLATES.values())
    for path in paths(VALUES, SCHEMA):
        assert path in explained, f"{path} is not in the README"
        assert path.rpartition(".")[2] in used, f"{path} is used nowhere"


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
def test_overlays_change_values_that_exist(overlay: str) -> None:
    changes = yaml.safe_load((CHART / f"values-{overlay}.yaml").read_text("utf-8"))
    assert list(paths(changes, SCHEMA))


def test_ports_and_labels_are_those_of_the_code() -> None:
    policies = TEMPLATES[CHART / "templates" / "networkpolicies.yaml"]
    assert f"port: {METRICS_PORT}}}" in policies
    assert f"port: {LOAD_PORT}}}" in policies
    assert f"app.kubernetes.io/name: {COMPONENT}}}" in policies


def test_alerts_and_rules_name_only_metrics_that_the_operators_have() -> None:
    known = set()
    metrics = Metrics()
    for family in metrics.registry.collect():
        known |= {family.name, *(family.name + end for end in ("_total", "_bucket", "_count", "_sum"))}
    known.add("phoenix_operator_resources")
    text = (CHART / "files" / "alerts.yaml").read_text("utf-8")
    named = set(re.findall(r"\bphoenix_\w+", text))
    assert len(named) >= 4
    assert named <= known


def test_what_pods_are_told_is_what_the_operators_read() -> None:
    settings = (ROOT / "operators" / "runtime" / "settings.py").read_text("utf-8")
    told = set(re.findall(r"PHOENIX_OPERATOR_([A-Z_]+)", TEMPLATES[CHART / "templates" / "_environment.tpl"]))
    assert told <= set(re.findall(r'default\(\s*"([A-Z_]+)"', settings))
    assert len(told) >= 10


def test_the_commands_of_hooks_and_jobs_are_commands_of_the_image() -> None:
    text = "\n".join(TEMPLATES.values())
    called = set(re.findall(r'\blist "(crds|backup|restore|check)"', text))
    assert called == set(COMMANDS)
    (subparsers,) = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    assert set(subparsers.choices) == set(COMMANDS)
