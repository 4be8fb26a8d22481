"""What a run shows beside retention: counters, series, attributes, hidden failures."""

from __future__ import annotations

import pytest

from chalicelib.services.pipelines.validation import Validation
from tests.functional.validation.configs import found, statements, text

PIDS = "^process\\\\.(pid|parent_pid|command|command_line|executable\\\\.path|owner)$$"
LOSE_PIDS = f'delete_matching_keys(resource.attributes, "{PIDS}")'
SUM = 'aggregate_on_attributes("sum", ["state", "direction"])'


def test_summing_cumulative_counters_is_seen_when_a_process_ends(validation: Validation) -> None:
    processors = {
        "transform/lose": statements(LOSE_PIDS),
        "groupbyattrs/merge": {},
        "transform/sum": statements(f'{SUM} where metric.name != ""'),
    }
    rules = found(validation.of_text(text(processors)))
    assert rules == [("PHX-V150", "/exporters/otlp_http")]


def test_removing_pids_makes_series_fall_together(validation: Validation) -> None:
    report = validation.of_text(text({"transform/lose": statements(LOSE_PIDS)}))
    assert found(report) == [("PHX-V151", "/exporters/otlp_http")]
    assert not any(one.rule in ("PHX-V140", "PHX-V141") for one in report.findings)


def test_remote_write_without_resource_attributes_does_the_same(validation: Validation) -> None:
    settings = {"endpoint": "https://prometheus.example.com/api/v1/write"}
    report = validation.of_text(text(exporter="prometheus_remote_write", settings=settings))
    assert found(report) == [("PHX-V151", "/exporters/prometheus_remote_write")]
    settings |= {"resource_to_telemetry_conversion": {"enabled": True}}
    report = validation.of_text(text(exporter="prometheus_remote_write", settings=settings))
    assert [one.rule for one in report.findings] == ["PHX-V140", "PHX-V141"]


def test_attributes_that_the_scraper_does_not_send_are_not_complained_about(validation: Validation) -> None:
    off = {f"process.{name}": {"enabled": False} for name in ("command", "command_line")}
    report = validation.of_text(text(scraper={"resource_attributes": off}))
    assert [one.rule for one in report.findings] == ["PHX-V141"]


def test_a_failure_that_error_mode_hides_is_shown(validation: Validation) -> None:
    broken = {"error_mode": "ignore", "metric_statements": ['set(metric.unit, ParseJSON(metric.name)["a"])']}
    rules = found(validation.of_text(text({"transform/a": broken})))
    assert sorted(rules) == [
        ("PHX-V161", "/processors/transform~1a/error_mode"),
        ("PHX-V162", "/processors/transform~1a"),
    ]


def test_a_scrape_that_is_refused_is_an_error_at_its_processor(validation: Validation) -> None:
    broken = statements('set(metric.unit, ParseJSON(metric.name)["a"])')
    report = validation.of_text(text({"transform/a": broken}))
    assert [rule for rule, _ in found(report)] == ["PHX-V132"]
    assert not report.accepted


@pytest.mark.parametrize("kind", ["filter", "transform"])
def test_the_collectors_default_error_mode_is_what_the_rule_says(validation: Validation, kind: str) -> None:
    """Guards the wording of PHX-V161: an unset mode does go on after a failure in the pinned collector."""
    body = (
        {"metric_conditions": ['ParseJSON(metric.name)["a"] == "b"']}
        if kind == "filter"
        else {"metric_statements": ['set(metric.unit, ParseJSON(metric.name)["a"])']}
    )
    rules = {rule for rule, _ in found(validation.of_text(text({f"{kind}/a": body})))}
    assert {"PHX-V161", "PHX-V162"} <= rules


def test_an_upstream_agents_data_is_tried_as_it_is(validation: Validation) -> None:
    receiver = {"protocols": {"http": {"endpoint": "0.0.0.0:4318"}}}
    report = validation.of_text(text({"transform/lose": statements(LOSE_PIDS)}, receiver=receiver))
    assert ("PHX-V151", "/exporters/otlp_http") in found(report)
