"""A load as a pod's main process: it says how it stands by HTTP while it runs, leaves its last word, and no process."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.load import LoadPhase, LoadStatus
from loadsim.processes.marker import marked
from tests.functional.loadsim.started import PATIENCE_S, ROOT, WATCHDOG_S, children, end_all, eventually


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Job:
    """One `python -m loadsim job`, with its mark in the environment as in a pod."""

    def __init__(self, folder: Path, *words: str, port: int | None = None) -> None:
        self.run_id = f"test-job-{secrets.token_hex(6)}"
        self.last_words = folder / "last-words"
        self.port = free_port() if port is None else port
        command = [sys.executable, "-m", "loadsim", "job", "--port", str(self.port), *words]
        self.process = subprocess.Popen(
            [*command, "--last-words", str(self.last_words)],
            cwd=ROOT,
            env={**os.environ, "PHOENIX_LOADSIM": self.run_id},
            stderr=subprocess.PIPE,
            text=True,
        )

    def status(self) -> LoadStatus | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=PATIENCE_S) as answer:
                return LoadStatus.model_validate_json(answer.read())
        except OSError:
            return None

    def running(self) -> LoadStatus:
        def look() -> LoadStatus | None:
            status = self.status()
            return status if status and status.phase is LoadPhase.RUNNING else None

        return eventually("the load runs", look)

    def last(self) -> LoadStatus:
        return LoadStatus.model_validate_json(self.last_words.read_bytes())

    def left(self) -> list[int]:
        return [pid for pid, run_id in marked(self.run_id).items() if run_id == self.run_id]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)
        end_all(self.left())


@pytest.fixture
def jobs() -> Iterator[list[Job]]:
    started: list[Job] = []
    yield started
    for job in started:
        job.end()


def spec(**fields: object) -> str:
    return json.dumps({"restartsPerMinute": 0, **fields})


def test_it_says_how_it_stands_and_leaves_its_last_word_when_asked_to_end(tmp_path: Path, jobs: list[Job]) -> None:
    jobs.append(job := Job(tmp_path, "--spec", spec(count=30, critical=2)))
    status = job.running()
    assert (status.asked, status.running, status.spawned) == (30, 30, 30)
    assert len(job.left()) == 30 + 2  # its spawner, and itself
    job.process.send_signal(signal.SIGTERM)
    assert job.process.wait(PATIENCE_S) == 0
    assert job.left() == []
    last = job.last()
    assert (last.phase, last.running, last.spawned) == (LoadPhase.STOPPED, 0, 30)
    assert last.reason == "asked to stop (SIGTERM)"
    assert last.ended_at is not None


def test_its_duration_ends_it_and_a_file_may_hold_the_request(tmp_path: Path, jobs: list[Job]) -> None:
    file = tmp_path / "spec.json"
    file.write_text(spec(count=5, durationS=3))
    jobs.append(job := Job(tmp_path, "--spec-file", str(file)))
    assert job.process.wait(PATIENCE_S) == 0
    assert (job.last().phase, job.last().reason) == (LoadPhase.STOPPED, "duration reached")


def test_kill_9_leaves_none(tmp_path: Path, jobs: list[Job]) -> None:
    jobs.append(job := Job(tmp_path, "--spec", spec(count=50, busy=5)))
    job.running()
    job.process.kill()
    job.process.wait(PATIENCE_S)
    eventually("no process is left", lambda: not job.left(), within=WATCHDOG_S)


def test_kill_9_of_the_spawner_fails_it_with_the_reason(tmp_path: Path, jobs: list[Job]) -> None:
    jobs.append(job := Job(tmp_path, "--spec", spec(count=50)))
    job.running()
    (spawner,) = children(job.process.pid)
    os.kill(spawner, signal.SIGKILL)
    assert job.process.wait(PATIENCE_S) == 1
    assert (job.last().phase, job.last().running) == (LoadPhase.FAILED, 0)
    assert job.last().reason == "the spawner ended unexpectedly (signal 9)"
    assert job.left() == []


def test_a_pod_s_main_process_goes_first_when_memory_runs_out_and_the_simulated_ones_before_all_others(
    tmp_path: Path, jobs: list[Job]
) -> None:
    jobs.append(job := Job(tmp_path, "--spec", spec(count=3)))
    job.running()
    (spawner,) = children(job.process.pid)
    adjusted = {pid: int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in job.left()}
    assert adjusted.pop(job.process.pid) == 1000
    assert 500 <= adjusted[spawner] < 1000
    assert set(adjusted.values()) == {adjusted[spawner]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--spec", '{"count": 0}'], "--spec: count: Input should be greater than or equal to 1"),
        (["--spec", "{}", "--port", "70000"], "--port: 70000 is not between 1 and 65535"),
        (["--spec-file", "/no/such/file"], "--spec-file /no/such/file: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_where_kubernetes_looks_too(
    tmp_path: Path, jobs: list[Job], words: list[str], said: str
) -> None:
    jobs.append(job := Job(tmp_path, *words))
    assert job.process.wait(PATIENCE_S) == 2
    _, errors = job.process.communicate(timeout=PATIENCE_S)
    assert said in errors
    assert "Traceback" not in errors
    assert said in job.last().reason
    assert job.last().phase is LoadPhase.FAILED


def test_a_taken_port_is_said_and_nothing_is_started(tmp_path: Path, jobs: list[Job]) -> None:
    with socket.create_server(("", 0)) as taken:
        jobs.append(job := Job(tmp_path, "--spec", spec(count=3), port=taken.getsockname()[1]))
        assert job.process.wait(PATIENCE_S) == 1
    assert "Address already in use" in job.last().reason
    assert job.left() == []
