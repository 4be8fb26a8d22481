"""Builds with a stand-in for Go that behaves as told: what is published, what is left behind, who waits for whom."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from phoenix_cli.binaries.build import SUPERVISOR, build, cached_path
from phoenix_cli.binaries.errors import BuildFailed
from phoenix_cli.binaries.progress import PlainReport, Progress

MAKES_IT = """
while [ "$1" != "-o" ]; do shift; done
echo "go: downloading example.com/m v1.0.0"; echo example.com/m/pkg
printf '#!/bin/sh\\necho built\\n' > "$2"
"""


def go(tmp_path: Path, script: str) -> dict[str, str]:
    folder = tmp_path / "path"
    folder.mkdir(exist_ok=True)
    (folder / "go").write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\n{script}\n")
    (folder / "go").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "PHOENIX_CACHE": str(tmp_path / "cache")}


def runs(tmp_path: Path) -> int:
    return _lines(tmp_path / "runs")


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def left_behind(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache" / "bin").iterdir() if path.suffix != ".lock"]


def test_a_build_is_published_whole_and_made_once(tmp_path: Path) -> None:
    env, seen = go(tmp_path, MAKES_IT), list[Progress]()
    path = build(SUPERVISOR, env, seen.append)
    assert subprocess.run([path], capture_output=True, check=True).stdout == b"built\n"
    assert build(SUPERVISOR, env, seen.append) == path
    assert runs(tmp_path) == 1
    assert left_behind(tmp_path) == [path.parent]
    assert "minutes" in seen[0].line
    assert seen[-1].step.startswith("built")


def test_two_builders_at_once_make_it_once(tmp_path: Path) -> None:
    env, seen, made = go(tmp_path, "sleep 1" + MAKES_IT), list[Progress](), list[Path]()
    threads = [threading.Thread(target=lambda: made.append(build(SUPERVISOR, env, seen.append))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 2
    assert runs(tmp_path) == 1
    assert any("waiting for another process" in progress.line for progress in seen)


def test_a_failed_build_shows_the_last_words_and_leaves_nothing(tmp_path: Path) -> None:
    env = go(tmp_path, "echo 'go: downloading example.com/m v1'; echo 'm.go:3: undefined: x'; exit 2")
    with pytest.raises(BuildFailed, match="undefined: x") as error:
        build(SUPERVISOR, env, list[Progress]().append)
    assert "downloading" not in error.value.detail
    assert left_behind(tmp_path) == []


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    env = go(tmp_path, "echo 'write /x: no space left on device'; exit 1")
    with pytest.raises(BuildFailed, match="the disk is full") as error:
        build(SUPERVISOR, env, list[Progress]().append)
    assert "PHOENIX_CACHE" in error.value.hint


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(BuildFailed, match="cache") as error:
        build(SUPERVISOR, go(tmp_path, MAKES_IT), list[Progress]().append)
    assert "PHOENIX_CACHE" in error.value.hint


def test_a_build_past_its_deadline_ends_with_its_children(tmp_path: Path) -> None:
    env = go(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; echo 'still at it'; wait")
    with pytest.raises(BuildFailed, match="deadline"):
        build(SUPERVISOR, env, list[Progress]().append, seconds=1.0)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)
    assert left_behind(tmp_path) == []


def test_an_interrupted_build_leaves_nothing_and_a_killed_one_is_swept_by_the_next(tmp_path: Path) -> None:
    env = go(tmp_path, f"echo $$ > {tmp_path}/pid; echo run >> {tmp_path}/begun; sleep 20" + MAKES_IT)
    # A shell makes its background jobs deaf to SIGINT, and they their children.
    heed = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = f"{heed}from phoenix_cli.binaries.build import SUPERVISOR, build\nbuild(SUPERVISOR, os.environ, print)"
    for number, (how, left) in enumerate(((signal.SIGINT, 0), (signal.SIGKILL, 1)), 1):
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for(lambda number=number: _lines(tmp_path / "begun") == number)
        stand_in = int((tmp_path / "pid").read_text())
        process.send_signal(how)
        assert process.wait(20) != 0
        assert len(left_behind(tmp_path)) == left
        _wait_for(lambda stand_in=stand_in: not _alive(stand_in), 5.0)
    path = build(SUPERVISOR, go(tmp_path, MAKES_IT), list[Progress]().append)
    assert left_behind(tmp_path) == [path.parent]


def test_the_users_go_settings_reach_go(tmp_path: Path) -> None:
    env = go(tmp_path, f"env > {tmp_path}/seen\n" + MAKES_IT)
    build(SUPERVISOR, {**env, "GOPROXY": "off", "GOCACHE": "/c", "GOMODCACHE": "/m"}, list[Progress]().append)
    seen = (tmp_path / "seen").read_text().splitlines()
    assert {"GOPROXY=off", "GOCACHE=/c", "GOMODCACHE=/m", "CGO_ENABLED=0"} <= set(seen)


def test_plain_lines_come_per_step_and_then_every_fifteen_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    report = PlainReport(sys.stdout)
    for second in range(40):
        report(Progress("collector", "compiling", float(second)))
    report(Progress("collector", "done", 41.0))
    assert [line.rsplit("· ", 1)[1] for line in capsys.readouterr().out.splitlines()] == ["0 s", "15 s", "30 s", "41 s"]


def test_the_cache_follows_the_users_settings(tmp_path: Path) -> None:
    own = cached_path(SUPERVISOR, {"PHOENIX_CACHE": str(tmp_path / "own"), "XDG_CACHE_HOME": "/x"})
    xdg = cached_path(SUPERVISOR, {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": "/h"})
    home = cached_path(SUPERVISOR, {"HOME": str(tmp_path / "home")})
    assert own.is_relative_to(tmp_path / "own" / "bin")
    assert xdg.is_relative_to(tmp_path / "xdg" / "phoenix" / "bin")
    assert home.is_relative_to(tmp_path / "home" / ".cache" / "phoenix" / "bin")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
