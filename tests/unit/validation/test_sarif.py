"""SARIF 2.1.0: the properties that its schema requires of what we write, and that every result leads to a rule."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.domain.validation.findings import Answer, Kept, Report, Retention, located
from chalicelib.domain.validation.rules import RULES, finding
from phoenix_cli.show.pipelines.findings import block, summary
from phoenix_cli.show.pipelines.sarif import sarif


class Part(BaseModel):
    """Properties that SARIF does not have under these names are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Message(Part):
    text: Annotated[str, Field(min_length=1)]


class Level(Part):
    level: Literal["none", "note", "warning", "error"]


class Rule(Part):
    id: str
    name: Annotated[str, Field(pattern="^[A-Za-z]+$")]
    shortDescription: Message
    fullDescription: Message
    help: Message
    helpUri: Annotated[str, Field(pattern=r"^https://\S+$")]
    defaultConfiguration: Level


class Driver(Part):
    name: str
    rules: list[Rule]


class Tool(Part):
    driver: Driver


class Artifact(Part):
    uri: Annotated[str, Field(pattern=r"^[^\s\\]+$")]


class Region(Part):
    startLine: Annotated[int, Field(ge=1)]
    startColumn: Annotated[int, Field(ge=1)]


class Physical(Part):
    artifactLocation: Artifact
    region: Region | None = None


class Logical(Part):
    fullyQualifiedName: str


class Location(Part):
    physicalLocation: Physical
    logicalLocations: list[Logical] = []


class Result(Part):
    ruleId: str
    ruleIndex: Annotated[int, Field(ge=0)]
    level: Literal["none", "note", "warning", "error"]
    message: Message
    locations: Annotated[list[Location], Field(min_length=1)]


class Notification(Level):
    message: Message


class Invocation(Part):
    executionSuccessful: bool
    toolExecutionNotifications: list[Notification]


class Run(Part):
    tool: Tool
    columnKind: Literal["utf16CodeUnits", "unicodeCodePoints"]
    results: list[Result]
    invocations: list[Invocation]


class Sarif(Part):
    """The parts of OASIS' sarif-schema-2.1.0 that we use: names, required properties and value sets are its own."""

    schema_: Annotated[str, Field(alias="$schema", pattern=r"sarif-schema-2\.1\.0\.json$")]
    version: Literal["2.1.0"]
    runs: Annotated[list[Run], Field(min_length=1)]


POSITIONS = {"": (1, 1), "/processors": (3, 1), "/processors/a~1b": (4, 3)}


def report() -> Report:
    found = located(
        [finding("PHX-V130", "/processors/a~1b", "drops 'x'"), finding("PHX-V120", "/service/pipelines", "none")],
        POSITIONS,
    )
    kept = Retention(state=Kept.DROPPED, explanation="seen")
    return Report(accepted=False, findings=found, collector=Answer.ACCEPTED, retention=kept)


@pytest.mark.parametrize("file", ["bad.yaml", "/etc/otel/my config.yaml", "dir/a b.yaml", "standard input"])
def test_the_document_has_the_form_of_sarif(file: str) -> None:
    document = json.loads(json.dumps(sarif({file: report()})))
    Sarif.model_validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_results_carry_line_column_and_pointer() -> None:
    (run,) = sarif({"bad.yaml": report()})["runs"]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    place = by_rule["PHX-V130"]["locations"][0]
    assert place["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 3}
    assert place["logicalLocations"] == [{"fullyQualifiedName": "/processors/a~1b"}]
    assert by_rule["PHX-V130"]["level"] == "error"
    assert by_rule["PHX-V120"]["level"] == "warning"


def test_a_file_without_findings_still_says_what_was_asked() -> None:
    sound = report().model_copy(update={"findings": (), "accepted": True})
    (run,) = sarif({"good.yaml": sound})["runs"]
    words = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert words == ["good.yaml: collector: accepted", "good.yaml: critical processes: dropped; seen"]


def test_people_get_field_line_rule_reason_and_fix() -> None:
    found = next(one for one in report().findings if one.rule == "PHX-V130")
    lines = block(found, "bad.yaml").splitlines()
    assert lines[0] == "error: processors.a/b: drops 'x'   (bad.yaml:4)"
    assert lines[1] == f"  PHX-V130: {RULES['PHX-V130'].why}"
    assert lines[2].startswith("  fix: ")
    assert "CAN BE DROPPED" in summary(report(), "bad.yaml")


def test_what_does_not_print_does_not_reach_the_terminal() -> None:
    evil = finding("PHX-V130", "/processors/\x1b[2J", "drops '\x1b]0;x\x07'")
    assert "\x1b" not in block(evil, "bad.yaml")
