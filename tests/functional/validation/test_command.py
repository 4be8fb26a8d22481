"""`phoenix pipeline validate` as a user and as CI runs it: a process of its own, without a control plane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from phoenix_cli.binaries.resolve import resolve_collector
from tests.functional.validation.configs import drop, text

ROOT = Path(__file__).parents[3]
NAME = 'resource.attributes["process.executable.name"]'


class Command:
    """Types in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "PHOENIX_PROFILE": str(folder / "none"), "NO_COLOR": "1"}

    def __call__(self, *words: str, code: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done

    def validate(self, *words: str, code: int) -> subprocess.CompletedProcess[str]:
        return self("phoenix_cli", "pipeline", "validate", "--local", *words, code=code)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    resolve_collector(os.environ, print)
    (tmp_path / "good.yaml").write_text(text({"filter/a": drop(f'{NAME} == "cron"')}), "utf-8")
    (tmp_path / "bad.yaml").write_text(text({"filter/a": drop(f'{NAME} == "nginx"')}), "utf-8")
    (tmp_path / "broken.yaml").write_text("receivers: {nop: {}\nexporters: {}\n", "utf-8")
    return Command(tmp_path)


def test_people_read_place_rule_reason_and_fix(command: Command) -> None:
    said = command.validate("bad.yaml", "--critical", "^nginx$", code=1)
    line = 1 + (command.folder / "bad.yaml").read_text().splitlines().index('  "filter/a": {')
    assert "error: processors.filter/a: filter/a drops 'nginx'" in said.stderr
    assert f"(bad.yaml:{line})" in said.stderr
    assert "PHX-V130" in said.stderr
    assert "fix: " in said.stderr
    assert said.stdout == ""
    broken = command.validate("broken.yaml", code=1)
    assert "(broken.yaml:2)" in broken.stderr
    assert "PHX-V001" in broken.stderr


def test_strict_turns_warnings_into_failures(command: Command) -> None:
    said = command.validate("good.yaml", "--critical", "^nginx$", code=0)
    assert "critical processes are kept" in said.stderr
    assert "PHX-V141" in said.stderr
    command.validate("good.yaml", "--critical", "^nginx$", "--strict", code=1)


@pytest.mark.parametrize("form", ["json", "yaml", "sarif"])
def test_programs_get_the_report(command: Command, form: str) -> None:
    said = command.validate("bad.yaml", "--critical", "^nginx$", "--output", form, code=1)
    value: Any = yaml.safe_load(said.stdout) if form == "yaml" else json.loads(said.stdout)
    if form == "sarif":
        assert value["version"] == "2.1.0"
        found = {one["ruleId"] for one in value["runs"][0]["results"]}
    else:
        assert (value["accepted"], value["collector"], value["retention"]["state"]) == (False, "accepted", "dropped")
        found = {one["rule"] for one in value["findings"]}
    assert "PHX-V130" in found


def test_a_wrong_critical_pattern_is_an_error_of_the_command(command: Command) -> None:
    assert "--critical" in command.validate("good.yaml", "--critical", "(?=x)", code=1).stderr


def test_the_catalog_is_sound(command: Command) -> None:
    said = command("phoenix_cli.local.validating", "--output", "json", code=0)
    reports = json.loads(said.stdout)
    assert {"process-baseline-v1", "process-topk-v1", "process-priority-filter-v1"} <= set(reports)
    assert {report["retention"]["state"] for report in reports.values()} == {"kept"}
    assert all(report["accepted"] for report in reports.values())
