"""The three ways to a binary, their order, and the one error that tells about all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from phoenix_cli.binaries.build import COLLECTOR, cached_path
from phoenix_cli.binaries.components import NEEDED
from phoenix_cli.binaries.errors import CollectorMissing, SupervisorMissing
from phoenix_cli.binaries.progress import Progress
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor

FIT = yaml.safe_dump({kind: [{"name": name} for name in names] for kind, names in NEEDED.items()})
UNFIT = yaml.safe_dump({kind: [{"name": name} for name in names if name != "count"] for kind, names in NEEDED.items()})


def program(folder: Path, name: str, output: str, code: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n/bin/cat <<'OUTPUT'\n{output}\nOUTPUT\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Nothing on PATH, an empty cache."""
    (tmp_path / "path").mkdir()
    return {"PATH": str(tmp_path / "path"), "PHOENIX_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Lock files that no cache knows."""
    for recipe, names in {"otelcol": ("manifest.yaml", "go.mod", "go.sum"), "supervisor": ("go.mod", "go.sum")}.items():
        (tmp_path / "locks" / recipe).mkdir(parents=True)
        for name in names:
            (tmp_path / "locks" / recipe / name).write_text("go 1.25.0\n")
    return tmp_path / "locks"


def ignore(progress: Progress) -> None:
    """A report nobody reads."""


def test_the_named_collector_is_taken_before_the_one_on_path(tmp_path: Path, env: dict[str, str]) -> None:
    program(tmp_path / "path", "otelcol", FIT)
    named = program(tmp_path, "mine", FIT)
    assert resolve_collector({**env, "PHOENIX_OTELCOL": str(named)}, ignore) == named


def test_a_named_collector_that_lacks_something_is_refused_and_never_replaced(
    tmp_path: Path, env: dict[str, str]
) -> None:
    program(tmp_path / "path", "otelcol", FIT)
    named = program(tmp_path, "mine", UNFIT)
    with pytest.raises(CollectorMissing, match="connectors/count") as error:
        resolve_collector({**env, "PHOENIX_OTELCOL": str(named)}, ignore)
    assert error.value.code == "PHX-COLLECTOR-MISSING"
    assert "PHOENIX_OTELCOL" in error.value.hint


def test_a_named_file_must_exist_be_executable_and_run(tmp_path: Path, env: dict[str, str]) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    broken = program(tmp_path, "broken", "cannot do that", code=3)
    for path, why in ((tmp_path / "no", "no such file"), (plain, "not executable"), (broken, "cannot do that")):
        with pytest.raises(CollectorMissing, match=why):
            resolve_collector({**env, "PHOENIX_OTELCOL": str(path)}, ignore)


def test_contrib_on_path_comes_first_and_an_unfit_one_is_passed_over(tmp_path: Path, env: dict[str, str]) -> None:
    plain = program(tmp_path / "path", "otelcol", FIT)
    contrib = program(tmp_path / "path", "otelcol-contrib", FIT)
    assert resolve_collector(env, ignore) == contrib
    program(tmp_path / "path", "otelcol-contrib", UNFIT)
    assert resolve_collector(env, ignore) == plain


def test_without_any_way_the_error_tells_all_three_and_their_remedies(
    tmp_path: Path, env: dict[str, str], source: Path
) -> None:
    program(tmp_path / "path", "otelcol", UNFIT)
    with pytest.raises(CollectorMissing) as error:
        resolve_collector(env, ignore, source=source)
    text = error.value.detail + error.value.hint
    for part in ("PHOENIX_OTELCOL is not set", "lacks connectors/count", "otelcol-contrib: not there"):
        assert part in text
    for part in ("Go is not on PATH", "install Go 1.25.0", "set PHOENIX_OTELCOL"):
        assert part in text


def test_an_old_go_is_named_with_its_own_words(tmp_path: Path, env: dict[str, str], source: Path) -> None:
    program(tmp_path / "path", "go", "go: go.mod requires go >= 1.25.0 (running go 1.20)", code=1)
    with pytest.raises(CollectorMissing, match=r"Go 1\.25\.0 or newer is needed.*running go 1\.20"):
        resolve_collector(env, ignore, source=source)


def test_a_cached_build_is_used_without_go(env: dict[str, str], source: Path) -> None:
    cached = cached_path(COLLECTOR, env, source)
    program(cached.parent, cached.name, FIT)
    assert resolve_collector(env, ignore, source=source) == cached


def test_other_locks_are_another_build(env: dict[str, str], source: Path) -> None:
    before = cached_path(COLLECTOR, env, source)
    (source / "otelcol" / "go.sum").write_text("changed")
    assert cached_path(COLLECTOR, env, source) != before


def test_missing_locks_are_named(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(CollectorMissing, match="lock files are missing"):
        resolve_collector(env, ignore, source=tmp_path / "nowhere")


def test_a_supervisor_is_known_by_its_help(tmp_path: Path, env: dict[str, str], source: Path) -> None:
    program(tmp_path / "path", "opampsupervisor", "usage: another program")
    with pytest.raises(SupervisorMissing, match="not that of an OpAMP supervisor"):
        resolve_supervisor(env, ignore, source=source)
    right = program(tmp_path / "path", "opampsupervisor", "  -config string\n  Path to a supervisor configuration file")
    assert resolve_supervisor(env, ignore, source=source) == right
