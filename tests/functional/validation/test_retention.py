"""Whether critical processes survive is decided by running the pipelines, never by reading them."""

from __future__ import annotations

import pytest

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.validation.findings import Kept
from chalicelib.services.pipelines.validation import Validation
from tests.functional.validation.configs import drop, found, statements, text

NGINX = (CriticalPattern(name="^nginx$"),)
NAME, COMMAND = 'resource.attributes["process.executable.name"]', 'resource.attributes["process.command_line"]'
MARK = f'set(resource.attributes["phoenix.critical"], "web") where IsMatch({NAME}, "^nginx$$")'
UNMARKED = 'resource.attributes["phoenix.critical"] == nil'


def test_a_filter_that_drops_a_critical_process_is_named(validation: Validation) -> None:
    harmless, harmful = drop(f'{NAME} == "worker-1"'), drop(f'IsMatch({NAME}, "^ngi")')
    report = validation.of_text(text({"filter/a": harmless, "filter/b": harmful}), NGINX)
    assert found(report) == [("PHX-V130", "/processors/filter~1b")]
    (finding,) = [one for one in report.findings if one.rule == "PHX-V130"]
    assert "nginx" in finding.message
    assert finding.line is not None
    assert (report.accepted, report.retention.state) == (False, Kept.DROPPED)


def test_a_filter_that_spares_it_is_not(validation: Validation) -> None:
    report = validation.of_text(text({"filter/a": drop(f'not IsMatch({NAME}, "^nginx$$")')}), NGINX)
    assert found(report) == []
    assert (report.accepted, report.retention.state, report.retention.patterns) == (True, Kept.KEPT, ("nginx",))
    assert report.retention.processes > 600


@pytest.mark.parametrize(
    "condition",
    [
        'metric.name == "process.memory.usage" and datapoint.value_int < 1000000',
        'resource.attributes["process.owner"] == "nobody"',
        f'IsMatch({COMMAND}, "--number")',
    ],
)
def test_thresholds_are_tried_with_small_idle_and_busy_processes(validation: Validation, condition: str) -> None:
    """The first condition leaves other metrics of the process in place; so it is kept."""
    report = validation.of_text(text({"filter/small": drop(condition)}), NGINX)
    kept = "datapoint" in condition
    assert report.retention.state is (Kept.KEPT if kept else Kept.DROPPED)


def test_an_idle_critical_process_is_missed_by_a_threshold_on_cpu(validation: Validation) -> None:
    groups = [
        {"context": "resource", "statements": ['set(resource.attributes["cpu"], 0.0)']},
        {
            "context": "datapoint",
            "conditions": ['metric.name == "process.cpu.utilization" and datapoint.attributes["state"] == "user"'],
            "statements": ['set(resource.attributes["cpu"], datapoint.value_double)'],
        },
    ]
    score = {"error_mode": "propagate", "metric_statements": groups}
    processors = {"transform/cpu": score, "filter/idle": drop('resource.attributes["cpu"] < 0.001')}
    scraper = {"metrics": {"process.cpu.utilization": {"enabled": True}}}
    report = validation.of_text(text(processors, scraper=scraper), NGINX)
    assert ("PHX-V130", "/processors/filter~1idle") in found(report)
    (finding,) = [one for one in report.findings if one.rule == "PHX-V130"]
    assert "idle" in finding.message
    assert "busy" not in finding.message


def test_every_alternative_of_a_pattern_is_tried(validation: Validation) -> None:
    report = validation.of_text(
        text({"filter/a": drop(f'{NAME} == "redis"')}), (CriticalPattern(name="^(?:postgres|redis|mysql)$"),)
    )
    (finding,) = [one for one in report.findings if one.rule == "PHX-V130"]
    assert "redis" in finding.message
    assert "postgres" not in finding.message


def test_command_lines_and_owners_are_patterns_too(validation: Validation) -> None:
    patterns = (CriticalPattern(command_line="payments-worker --id [0-9]+"), CriticalPattern(owner="db"))
    spared = text(
        {"filter/a": drop(f'not IsMatch({COMMAND}, "payments") and resource.attributes["process.owner"] != "db"')}
    )
    assert validation.of_text(spared, patterns).retention.state is Kept.KEPT
    report = validation.of_text(text({"filter/a": drop('resource.attributes["process.owner"] == "db"')}), patterns)
    assert ("PHX-V130", "/processors/filter~1a") in found(report)


def test_without_patterns_those_that_the_configuration_marks_are_tried(validation: Validation) -> None:
    mark = {"transform/mark": statements(MARK)}
    good = text({**mark, "filter/a": drop(UNMARKED)})
    report = validation.of_text(good)
    assert (report.retention.state, report.retention.patterns) == (Kept.KEPT, ("web",))
    bad = text({**mark, "filter/a": drop(f'{NAME} == "nginx"')})
    assert ("PHX-V130", "/processors/filter~1a") in found(validation.of_text(bad))


def test_with_none_at_all_it_says_that_nothing_was_checked(validation: Validation) -> None:
    report = validation.of_text(text({"filter/a": drop(f'{NAME} == "nginx"')}))
    assert (report.accepted, report.retention.state) == (True, Kept.NOT_CHECKED)
    assert "--critical" in report.retention.explanation


def test_the_scrapers_own_lists_count(validation: Validation) -> None:
    scraper = {"exclude": {"names": ["^ngin"], "match_type": "regexp"}}
    report = validation.of_text(text(scraper=scraper), NGINX)
    assert ("PHX-V130", "/exporters/otlp_http") in found(report)
    scraper = {"include": {"names": ["nginx"], "match_type": "strict"}}
    assert validation.of_text(text(scraper=scraper), NGINX).retention.state is Kept.KEPT


def test_a_summed_group_does_not_stand_for_a_critical_process(validation: Validation) -> None:
    """All of a name in one group, without pid and command line: by command line the process is gone."""
    lose = statements('keep_keys(resource.attributes, ["process.owner"])')
    report = validation.of_text(text({"transform/a": lose}), NGINX)
    assert ("PHX-V130", "/processors/transform~1a") in found(report)


def test_a_pattern_that_nothing_can_be_made_for_is_said(validation: Validation) -> None:
    report = validation.of_text(text(), (CriticalPattern(name="^$x"),))
    assert (report.retention.state, [rule for rule, _ in found(report)]) == (Kept.NOT_CHECKED, ["PHX-V131"])


def test_a_batch_that_waits_an_hour_loses_nothing(validation: Validation) -> None:
    batch = {"batch": {"timeout": "1h", "send_batch_size": 1_000_000}}
    assert validation.of_text(text(batch), NGINX).retention.state is Kept.KEPT


def test_a_branch_that_only_counts_cannot_lose_a_process(validation: Validation) -> None:
    config = (
        text()
        .replace('"exporters": [\n', '"exporters": [\n "count",\n')
        .replace('"service": {\n', '"connectors": {"count": {}},\n "service": {\n')
    )
    config = config.replace(
        '"pipelines": {\n', '"pipelines": {"metrics/n": {"receivers": ["count"], "exporters": ["debug"]},\n'
    )
    config = config.replace('"exporters": {\n', '"exporters": {"debug": {},\n', 1)
    report = validation.of_text(config, NGINX)
    assert report.retention.state is Kept.KEPT, report
