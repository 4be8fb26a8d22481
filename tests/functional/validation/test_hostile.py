"""Configurations of strangers: whatever they hold, the machine that validates them takes no harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from chalicelib.adapters.collector.reader import YamlReader
from chalicelib.adapters.collector.trials import AT_ONCE, CollectorTrials
from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.adapters.system.clock import SystemClock
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.validation.findings import Answer
from chalicelib.domain.validation.population import Scrape
from chalicelib.services.pipelines.validation import Validation
from tests.functional.validation.configs import statements, text

NGINX = (CriticalPattern(name="^nginx$"),)


def collectors(binary: Path) -> set[int]:
    """Pids of running collectors below this process."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if Path(child.exe()) == binary.resolve():
                found.add(child.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def left(collector: Path) -> Callable[[], set[int]]:
    """What asks for the collectors that run since the test began: others may belong to other tests."""
    before = collectors(collector)
    return lambda: collectors(collector) - before


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address that notes who asks for it."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", paths
    server.shutdown()
    server.server_close()


def test_the_users_exporters_receivers_and_extensions_are_never_started(
    validation: Validation, asked: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, paths = asked
    tree = json.loads(text(settings={"endpoint": f"http://{address}"}))
    tree["receivers"]["otlp/own"] = {"protocols": {"http": {"endpoint": address}}}  # taken: it could not start
    tree["service"]["pipelines"]["metrics"]["receivers"].append("otlp/own")
    tree["extensions"] = {"pprof": {"endpoint": address, "save_to_file": str(tmp_path / "profile")}}
    tree["service"]["extensions"] = ["pprof"]
    tree["service"]["telemetry"] = {"logs": {"output_paths": [str(tmp_path / "log")]}}
    report = validation.of_text(json.dumps(tree), NGINX)
    assert (report.accepted, report.retention.state) == (True, "kept")
    assert paths == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["file:/etc/passwd", "http://127.0.0.1:1/x", "yaml:a", "https://127.0.0.1/x"])
def test_references_outside_are_refused_unasked(validation: Validation, scheme: str) -> None:
    report = validation.of_text(text(settings={"endpoint": f"${{{scheme}}}"}))
    assert [one.rule for one in report.findings if one.severity == "error"] == ["PHX-V004"]
    assert report.collector is Answer.NOT_ASKED


def test_the_environment_is_not_there_to_be_read(validation: Validation) -> None:
    secret = f"s3cret-{os.getpid()}"
    os.environ["PHOENIX_HOSTILE_TEST"] = secret
    try:
        tell = statements('set(metric.unit, ParseJSON("${env:PHOENIX_HOSTILE_TEST}")["a"])')
        report = validation.of_text(text({"transform/tell": tell}))
    finally:
        del os.environ["PHOENIX_HOSTILE_TEST"]
    assert secret not in report.model_dump_json()
    assert "PHX-V132" in {one.rule for one in report.findings}


def test_a_statement_that_doubles_itself_ends_its_collector_only(
    validation: Validation, left: Callable[[], set[int]]
) -> None:
    double = 'set(resource.attributes["a"], Concat([resource.attributes["a"], resource.attributes["a"]], ""))'
    bomb = {"context": "resource", "statements": ['set(resource.attributes["a"], "aaaaaaaa")', *[double] * 40]}
    began = time.monotonic()
    report = validation.of_text(text({"transform/bomb": {"error_mode": "ignore", "metric_statements": [bomb]}}), NGINX)
    assert "PHX-V131" in {one.rule for one in report.findings}
    assert report.retention.state == "not checked"
    assert time.monotonic() - began < 90
    assert left() == set()


def test_aliases_are_not_written_out(validation: Validation) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    began = time.monotonic()
    report = validation.of_text("l0: &l0 [a, a, a]\n" + levels)
    assert [one.rule for one in report.findings] == ["PHX-V003"]
    assert time.monotonic() - began < 60


def test_the_deadline_holds_and_nothing_is_left(collector: Path, left: Callable[[], set[int]]) -> None:
    trials = CollectorTrials(collector, deadline_s=0.01)
    hurried = Validation(YamlReader(), CollectorValidator(collector), trials, SystemClock())
    began = time.monotonic()
    report = hurried.of_text(text(), NGINX)
    assert [one.rule for one in report.findings] == ["PHX-V131"]
    assert "within" in report.retention.explanation
    assert time.monotonic() - began < 60
    assert left() == set()


def test_no_more_than_two_run_at_once(collector: Path, left: Callable[[], set[int]]) -> None:
    trials = CollectorTrials(collector, deadline_s=60, queue_s=60)
    seen: list[int] = []
    inside = 0
    lock = threading.Lock()

    def make(listen: str, sink: str) -> dict[str, object]:
        nonlocal inside
        with lock:
            inside += 1
            seen.append(inside)
        time.sleep(0.3)
        with lock:
            inside -= 1
        return {"receivers": {}}

    threads = [
        threading.Thread(target=trials.run, args=(make, (Scrape(0, ()),), frozenset())) for _ in range(AT_ONCE + 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert max(seen) == AT_ONCE
    assert len(seen) == AT_ONCE + 3
    assert left() == set()


def test_a_collector_ends_with_the_control_plane(collector: Path, tmp_path: Path) -> None:
    """kill -9 in the middle of a trial leaves no collector."""
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from chalicelib.adapters.collector.trials import CollectorTrials\n"
        "def make(listen, sink):\n"
        " return {'receivers': {'otlp': {'protocols': {'http': {'endpoint': '127.0.0.1:0'}}}},"
        " 'exporters': {'nop': {}}, 'service': {'telemetry': {'metrics': {'level': 'none', 'readers': []}},"
        " 'pipelines': {'metrics': {'receivers': ['otlp'], 'exporters': ['nop']}}}}\n"
        "CollectorTrials(Path(sys.argv[1]), deadline_s=60).run(make, (), frozenset())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(collector)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    parent = psutil.Process(child.pid)
    try:
        below = _until(lambda: [one for one in parent.children() if one.name().startswith("otelcol")])
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=10)
        _until(lambda: not below[0].is_running() or below[0].status() == psutil.STATUS_ZOMBIE)
    finally:
        child.kill()
        child.wait()


def _until(check: Callable[[], object], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError("not within the time")
