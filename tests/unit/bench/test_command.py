"""`python -m bench`: what it lists and refuses. Nothing is measured here: that is no matter for a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.instruments.running import BenchFailed
from bench.registry import BENCHMARKS, Options, runner
from bench.report import Column, Report, Table

ROOT = Path(__file__).parents[3]


def test_list_names_every_benchmark() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--list"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(BENCHMARKS)
    assert {"collector", "wire", "ingest", "promote"} <= set(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_run(name: str) -> None:
    assert callable(runner(name))


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["no-such-benchmark"])
    assert ended.value.code == 2
    assert "no-such-benchmark" in capsys.readouterr().err


def fake(name: str, options: Options) -> Report:
    if name == "wire":
        raise BenchFailed("the machine is too busy")
    return Report(name, {"store": options.store}, (Table("t", (Column("a", "a"),), ((1,),)),))


def test_one_that_cannot_measure_says_why_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wire", "ingest", "--store", "dynamodb", "--results", str(tmp_path)], measure=fake) == 1
    said = capsys.readouterr()
    assert "wire: could not measure: the machine is too busy" in said.err
    assert "store dynamodb" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["ingest.json"]


def test_all_run_without_a_name(tmp_path: Path) -> None:
    seen: list[str] = []

    def note(name: str, options: Options) -> Report:
        seen.append(name)
        return Report(name, {}, ())

    assert main(["--results", str(tmp_path)], measure=note) == 0
    assert seen == list(BENCHMARKS)
