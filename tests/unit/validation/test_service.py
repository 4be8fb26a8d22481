"""The order of the layers: what is asked of whom, and what becomes of a part that cannot be asked."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from chalicelib.adapters.collector.reader import YamlReader
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.validation.findings import Answer, Kept
from chalicelib.domain.validation.outcome import Outcome
from chalicelib.domain.validation.population import Scrape
from chalicelib.services.pipelines.validation import Validation
from tests.fakes.clock import SettableClock
from tests.fakes.validator import FakeValidator
from tests.unit.validation.test_reading import GOOD

NGINX = (CriticalPattern(name="^nginx$"),)


class FakeTrials:
    """`ConfigTrials` that gives what it is told to."""

    def __init__(self) -> None:
        self.outcome = Outcome()
        self.missing = False
        self.ran: list[Mapping[str, Any]] = []
        self.environment: frozenset[str] = frozenset()

    def run(
        self, make: Callable[[str, str], Mapping[str, Any]], scrapes: Sequence[Scrape], environment: frozenset[str]
    ) -> Outcome:
        if self.missing:
            raise Unavailable("no collector is known")
        self.ran.append(make("127.0.0.1:1", "http://127.0.0.1:2"))
        self.environment = environment
        return self.outcome


class Room:
    """A service with its fakes."""

    def __init__(self) -> None:
        self.validator, self.trials = FakeValidator(), FakeTrials()
        self.service = Validation(YamlReader(), self.validator, self.trials, SettableClock())

    def report(self, tree: Any, critical: Sequence[CriticalPattern] = ()) -> Any:
        return self.service.of_text(json.dumps(tree, indent=1), critical)


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_text_that_is_not_read_is_not_asked_about(room: Room) -> None:
    report = room.service.of_text("a: {b: 1\nc: 2\n")
    assert [(one.rule, one.line, one.column) for one in report.findings] == [("PHX-V001", 2, 2)]
    assert (report.accepted, report.collector, room.validator.asked) == (False, Answer.NOT_ASKED, [])


def test_what_the_collector_refuses_is_not_run(room: Room) -> None:
    room.validator.refusals["filtre"] = (
        '\'processors\' unknown type: "filtre" for id: "filtre" (valid values: [filter])'
    )
    tree = copy.deepcopy(GOOD)
    tree["processors"]["filtre"] = {}
    tree["service"]["pipelines"]["metrics"]["processors"].insert(1, "filtre")
    report = room.report(tree, NGINX)
    (finding,) = [one for one in report.findings if one.severity == "error"]
    assert (finding.rule, finding.pointer) == ("PHX-V006", "/processors/filtre")
    assert 'unknown type: "filtre"' in finding.message
    assert report.collector is Answer.REFUSED
    assert room.trials.ran == []


def test_a_removed_component_is_told_with_its_successor(room: Room) -> None:
    room.validator.refusals["logging"] = '\'exporters\' unknown type: "logging" for id: "logging" (valid values: [])'
    tree = copy.deepcopy(GOOD)
    tree["exporters"]["logging"] = {}
    finding = next(one for one in room.report(tree).findings if one.rule == "PHX-V006")
    assert finding.fix == "logging is gone; use debug"


def test_a_collector_that_cannot_be_asked_is_an_error_never_a_pass(room: Room) -> None:
    room.validator.missing = True
    report = room.report(GOOD, NGINX)
    assert [one.rule for one in report.findings] == ["PHX-V011"]
    assert (report.accepted, report.collector, room.trials.ran) == (False, Answer.NOT_ASKED, [])


@pytest.mark.parametrize("critical", [(), NGINX])
def test_a_run_that_gives_nothing_is_said_never_a_pass(room: Room, critical: Sequence[CriticalPattern]) -> None:
    room.trials.outcome = Outcome(failure="the collector did not start within 10 s")
    report = room.report(GOOD, critical)
    assert [one.rule for one in report.findings] == ["PHX-V131"]
    assert report.retention.state is Kept.NOT_CHECKED
    assert "did not start" in report.retention.explanation
    room.trials.missing = True
    assert [one.rule for one in room.report(GOOD, critical).findings] == ["PHX-V131"]


def test_an_empty_outcome_is_no_proof_of_retention(room: Room) -> None:
    """Nothing arrived, not even the marked scrape: the pattern has no process, and nothing is claimed."""
    report = room.report(GOOD, NGINX)
    assert report.retention.state is Kept.NOT_CHECKED
    assert "PHX-V131" in [one.rule for one in report.findings]


def test_variables_of_the_configuration_are_told_to_the_trial_by_name_only(room: Room) -> None:
    room.report(GOOD)
    assert room.trials.environment == {"BACKEND"}


def test_a_tree_gets_pointers_and_no_lines(room: Room) -> None:
    report = room.service.of_tree({"receivers": []})
    assert {(one.rule, one.line) for one in report.findings} == {("PHX-V003", None)}


def test_a_tree_without_end_is_refused_at_once(room: Room) -> None:
    tree: dict[str, Any] = {}
    for _ in range(100):
        tree = {"a": tree}
    assert [one.rule for one in room.service.of_tree(tree).findings] == ["PHX-V003"]
    assert room.validator.asked == []


def test_the_same_thing_said_twice_is_one_finding_with_both_words(room: Room) -> None:
    room.validator.refusals["nope"] = 'service::pipelines::metrics: references exporter "nope" which is not configured'
    tree = copy.deepcopy(GOOD)
    tree["service"]["pipelines"]["metrics"]["exporters"] = ["nope"]
    errors = [one for one in room.report(tree).findings if one.severity == "error"]
    assert [one.rule for one in errors] == ["PHX-V005"]
    assert "(the collector: service::pipelines::metrics" in errors[0].message
