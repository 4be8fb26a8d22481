"""Wrong input by the CLI: a non-zero exit, the line, the rule, and nothing made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import HOST
from tests.acceptance.machine import Machine
from tests.acceptance.manifests import manifest, written

Figure = Callable[[str], None]

PIPELINES = {
    "an unknown component": (
        "receivers: {nop: {}}\nprocessors:\n  filtre/x: {}\nexporters: {nop: {}}\n"
        "service: {pipelines: {metrics: {receivers: [nop], processors: [filtre/x], exporters: [nop]}}}\n",
        'unknown type: "filtre"',
        3,
    ),
    "a component that is not configured": (
        "receivers: {nop: {}}\nexporters: {nop: {}}\nservice:\n  pipelines:\n    metrics:\n      receivers: [nop]\n"
        "      processors: [batch]\n      exporters: [nop]\n",
        'references processor "batch" which is not configured',
        7,
    ),
    "an expression that does not compile": (
        "receivers: {nop: {}}\nprocessors:\n  filter/x:\n    metric_conditions:\n"
        '      - \'IsMatch(resource.attributes["a"], "b")\'\n      - \'IsMatsch(resource.attributes["a"], "b")\'\n'
        "exporters: {nop: {}}\nservice: {pipelines: {metrics: {receivers: [nop], processors: [filter/x], "
        "exporters: [nop]}}}\n",
        "IsMatsch",
        6,
    ),
    "an unknown key": (
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpont: 127.0.0.1:4318\nexporters: {nop: {}}\n"
        "service: {pipelines: {metrics: {receivers: [otlp], exporters: [nop]}}}\n",
        "invalid keys: endpont",
        5,
    ),
    "not YAML": ("receivers: {nop: {}\nexporters: {nop: {}}\n", "not YAML", 2),
    "a key given twice": ("receivers: {nop: {}}\nexporters: {nop: {}}\nreceivers: {nop: {}}\n", "given twice", 3),
}
"""What is wrong: the file, the rule that must be named, the line that must be named."""


@pytest.mark.acceptance(
    "AT-P06",
    "seven wrong collector configurations and three wrong experiments, judged by CLI, API and real collector",
)
def test_wrong_files_are_refused_with_line_and_rule(machine: Machine, folder: Path, figure: Figure) -> None:
    for what, (text, rule, line) in PIPELINES.items():
        (folder / "bad.yaml").write_text(text, "utf-8")
        said = machine.phoenix("pipeline", "validate", "bad.yaml", code=1)
        assert rule in said.err, f"{what}: {said.err}"
        assert f"bad.yaml:{line}" in said.err, f"{what}: {said.err}"
        assert said.out == ""
    text, rule, line = PIPELINES["an unknown key"]
    (folder / "bad.yaml").write_text(text, "utf-8")
    said = machine.phoenix("pipeline", "deploy", "--file", "bad.yaml", "--name", "bad", "--host", HOST, code=1)
    assert rule in said.err
    assert f"bad.yaml:{line}" in said.err
    assert "bad" not in {one["name"] for one in machine.phoenix.data("pipeline", "list-deployments")}
    for rule, place, changed in EXPERIMENTS[:3]:
        words = _create(machine, folder, changed)
        assert rule in words
        assert place in words
    good = folder / "good.yaml"
    good.write_text(machine.phoenix("pipeline", "show", "process-topk-v1", "--rendered").out, "utf-8")
    machine.phoenix("pipeline", "validate", "good.yaml")
    figure(f"{len(PIPELINES) + 4} of {len(PIPELINES) + 4} refused with line and rule; a good one accepted")


Change = Callable[[dict[str, Any]], Any]
EXPERIMENTS: tuple[tuple[str, str, Change], ...] = (
    (
        "0 is below the minimum 1",
        "spec.candidate.parameters.k",
        lambda spec: spec["candidate"].update(parameters={"k": 0}),
    ),
    ("unknown field 'intervall'", "spec.intervall", lambda spec: spec.update(intervall="5s")),
    ("not a regular expression", "spec.critical.0", lambda spec: spec.update(critical=[{"name": "^nginx("}])),
    ("not RE2 syntax", "spec.critical.0", lambda spec: spec.update(critical=[{"name": "^(?=nginx)"}])),
    ("process-topp-v1", "spec.candidate.pipeline", lambda spec: spec["candidate"].update(pipeline="process-topp-v1")),
    ("kk", "spec.candidate.parameters", lambda spec: spec["candidate"].update(parameters={"kk": 5})),
    ("name at least one host", "spec.targets", lambda spec: spec.update(targets={"hosts": []})),
    ("no host named 'nowhere'", "spec.targets.hosts.0", lambda spec: spec.update(targets={"hosts": ["nowhere"]})),
    ("required, but missing", "spec.critical", lambda spec: spec.pop("critical")),
    ("cannot be relaxed", "spec.guardrails", lambda spec: spec.update(guardrails={"criticalRetention": "90%"})),
    ("shorter than minDuration", "spec.schedule", lambda spec: spec["schedule"].update(maxDuration="20s")),
    ("not a duration", "spec.interval", lambda spec: spec.update(interval="2 sec")),
)
"""The rule and the field that must be named, and what makes a good experiment wrong."""


def _create(machine: Machine, folder: Path, changed: Change) -> str:
    """Try to create a wrong experiment; what is said, with the line of the field in it."""
    document = manifest("wrong", HOST, {"pipeline": "process-topk-v1", "parameters": {"k": 20}})
    changed(document["spec"])
    written(folder, document)
    said = machine.phoenix("experiment", "create", "-f", "wrong.yaml", "--start", code=1)
    assert said.out == ""
    assert "(wrong.yaml:" in said.err, said.err
    return said.err


@pytest.mark.acceptance(
    "AT-P07",
    "twelve wrong experiments and one on a busy host, by CLI and API; lists and the host's claim read afterwards",
)
def test_a_wrong_experiment_is_refused_and_nothing_is_created(machine: Machine, folder: Path, figure: Figure) -> None:
    before = machine.phoenix.data("experiment", "list")
    for rule, place, changed in EXPERIMENTS:
        words = _create(machine, folder, changed)
        assert rule in words, words
        assert f"error: {place}" in words, words
    assert machine.phoenix.data("experiment", "list") == before
    assert machine.phoenix.data("host", "show", HOST)["experiment"] == ""

    written(folder, manifest("holds", HOST, {"pipeline": "process-topk-v1"}))
    machine.phoenix("experiment", "create", "-f", "holds.yaml")
    written(folder, manifest("second", HOST, {"pipeline": "process-topk-v1"}))
    busy = machine.phoenix("experiment", "create", "-f", "second.yaml", code=1)
    assert HOST in busy.err
    assert "holds" in busy.err
    assert "second" not in {one["name"] for one in machine.phoenix.data("experiment", "list")}
    machine.phoenix("experiment", "delete", "holds")
    assert machine.phoenix.data("host", "show", HOST)["experiment"] == ""
    figure(f"{len(EXPERIMENTS) + 1} of {len(EXPERIMENTS) + 1} refused, none created")


def test_the_line_is_that_of_the_field(machine: Machine, folder: Path) -> None:
    """The very example of the design: k is 0 in line 5."""
    document = manifest("line", HOST, {"pipeline": "process-topk-v1", "parameters": {"k": 0}})
    rest = yaml.safe_dump({key: value for key, value in document["spec"].items() if key != "candidate"})
    (folder / "experiment.yaml").write_text(
        "apiVersion: phoenix.io/v1alpha1\n"
        "kind: Experiment\n"
        "metadata: {name: line}\n"
        "spec:\n"
        "  candidate: {pipeline: process-topk-v1, parameters: {k: 0}}\n"
        + "".join(f"  {line}\n" for line in rest.splitlines()),
        "utf-8",
    )
    said = machine.phoenix("experiment", "create", "-f", "experiment.yaml", code=1)
    assert "spec.candidate.parameters.k: 0 is below the minimum 1" in said.err
    assert "(experiment.yaml:5)" in said.err


def test_usage_and_missing_things_have_exit_codes_of_their_own(machine: Machine, folder: Path) -> None:
    machine.phoenix("pipeline", "validate", code=2)
    machine.phoenix("experiment", "show", "nowhere", code=8)
    machine.phoenix("pipeline", "validate", str(folder / "nowhere.yaml"), code=1)
