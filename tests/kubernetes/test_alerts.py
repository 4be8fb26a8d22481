"""The chart's alerts as Prometheus' own tool has them: whole, firing on bad series, silent on good ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm import CHART, helm
from tests.kubernetes.monitoring import of_kind, promtool, rules_of

SERIES = Path(__file__).with_name("alerts_test.yaml")
SYSTEM = "phoenix-system"
ON = ("-n", SYSTEM, "--set", "metrics.prometheusRule.enabled=true")


@pytest.fixture(scope="module")
def rule(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    text = helm(cluster, tmp_path_factory.mktemp("helm"), "template", "phoenix", str(CHART), *ON)
    return of_kind(text, "PrometheusRule")


def names(rule: dict[str, Any]) -> set[str]:
    return {one["alert"] for group in rule["spec"]["groups"] for one in group["rules"]}


def test_the_rules_are_rules(rule: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules_of(rule), "utf-8")
    done = promtool(tmp_path, "check", "rules", "--lint-fatal", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(names(rule))} rules found" in done.stdout
    (tmp_path / "rules.yaml").write_text(rules_of(rule).replace("absent(", "absently("), "utf-8")
    assert "unknown function" in promtool(tmp_path, "check", "rules", "rules.yaml").stderr


def test_each_alert_fires_when_it_must_and_is_silent_when_it_must(rule: dict[str, Any], tmp_path: Path) -> None:
    asked = [case for test in yaml.safe_load(SERIES.read_text("utf-8"))["tests"] for case in test["alert_rule_test"]]
    for expects in (True, False):
        assert {case["alertname"] for case in asked if bool(case["exp_alerts"]) is expects} == names(rule)
    (tmp_path / SERIES.name).write_text(SERIES.read_text("utf-8"), "utf-8")
    (tmp_path / "rules.yaml").write_text(rules_of(rule, described=False), "utf-8")
    done = promtool(tmp_path, "test", "rules", SERIES.name)
    assert done.returncode == 0, done.stdout + done.stderr
