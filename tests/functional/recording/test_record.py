"""Recording this machine: to its end, interrupted, killed, on a full disk; and what a preview makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chalicelib.domain.prediction.report import PreviewReport
from phoenix_cli.recording.reader import open_recording
from phoenix_cli.show.pipelines.preview import preview_view
from tests.acceptance.command_line import Phoenix
from tests.catalog import brute
from tests.catalog.population import Population
from tests.functional.recording.in_process import refusal, text_of

_FILL = """
import resource, signal, sys
from pathlib import Path
from chalicelib.domain.errors import Unavailable
from phoenix_cli.recording.writer import RecordingWriter
from tests.unit.recording.scrapes import HEADER, scrape
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
writer = RecordingWriter(Path(sys.argv[1]), 1 << 20)
writer.begin(HEADER)
try:
    for number in range(1000):
        writer.add(scrape(*(f"run {number} {i * 7919 % 104729}" for i in range(40))).SerializeToString())
except Unavailable as error:
    print(error.detail, error.hint)
"""
DEADLINE_S = 60.0


def test_a_recording_and_its_preview_agree_with_brute_force_and_hold_no_secret(phoenix: Phoenix) -> None:
    (phoenix.folder / "population").mkdir()
    with Population(phoenix.folder / "population") as population:
        main = population.idle("db-main", "--password=hunter2", "--customer=acme")
        population.busy("busy-1", 0.1, 16)
        for index in range(10):
            population.idle(f"idle-{index}")
        words = ("--file", "a.phxrec", "--duration", "4s", "--interval", "1s", "--redact", "acme")
        phoenix("host", "record", *words)
    path = phoenix.folder / "a.phxrec"
    recording = open_recording(path)
    assert recording.end is not None
    assert recording.end.why == "duration"
    assert recording.scrapes >= 2
    requests = list(recording.requests())
    assert all(b"hunter2" not in request.SerializeToString() for request in requests)
    assert all(b"acme" not in request.SerializeToString() for request in requests)
    summary = phoenix.data("host", "recording", "a.phxrec")
    assert summary["scrapes"] == recording.scrapes
    assert summary["redacted"]["process.command_line"] >= 1
    scrapes = brute.scrapes_of([resource for request in requests for resource in request.resource_metrics])
    assert len(scrapes) == recording.scrapes
    assert all(main in scrape.pids() for scrape in scrapes)
    critical = ("--critical", "^busy-1$", "--critical-command-line", "customer=acme")
    found = phoenix.data("pipeline", "preview", "process-critical-v1", "-r", "a.phxrec", *critical)
    assert found["against"]["points"] == sum(len(scrape.without_helper()) for scrape in scrapes)
    by_name, by_line = found["candidate"]["critical"]
    assert by_name["kept"] == by_name["seen"] >= recording.scrapes
    assert by_line["seen"] == 0
    assert by_line["hidden"] >= 1, "the redacted command line might have matched"
    assert "cannot be known" in text_of(preview_view(PreviewReport.model_validate(found)))


def _recorder(phoenix: Phoenix, name: str) -> subprocess.Popen[bytes]:
    """A recorder that has written a scrape or two."""
    words = phoenix.words("host", "record", "--file", name, "--duration", "10m", "--interval", "0.5s")
    started = subprocess.Popen(words, cwd=phoenix.folder, env=phoenix.env, stderr=subprocess.DEVNULL)
    partial, deadline = phoenix.folder / f"{name}.partial", time.monotonic() + DEADLINE_S
    size = 0
    while size < 1000:
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
        size = partial.stat().st_size if partial.exists() else 0
    return started


def test_an_interrupted_recording_is_whole_and_shorter(phoenix: Phoenix) -> None:
    recorder = _recorder(phoenix, "b.phxrec")
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(DEADLINE_S) == 0
    found = open_recording(phoenix.folder / "b.phxrec")
    assert found.end is not None
    assert found.end.why == "interrupted"
    assert found.scrapes >= 1


def test_a_killed_recorder_leaves_a_readable_prefix_and_no_file_of_the_final_name(phoenix: Phoenix) -> None:
    recorder = _recorder(phoenix, "c.phxrec")
    recorder.kill()
    recorder.wait(DEADLINE_S)
    assert not (phoenix.folder / "c.phxrec").exists()
    found = open_recording(phoenix.folder / "c.phxrec.partial")
    assert found.end is None
    assert found.scrapes >= 1
    again = refusal(phoenix, "host", "record", "--file", str(phoenix.folder / "c.phxrec"), "--duration", "1s")
    assert "another recording writes it, or was killed" in again


def test_a_full_disk_is_said_and_leaves_what_was_recorded(phoenix: Phoenix) -> None:
    path = phoenix.folder / "d.phxrec"
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(path)],
        cwd=Path(__file__).parents[3],
        env=phoenix.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "cannot be written" in done.stdout
    assert "make room" in done.stdout
    assert not path.exists()
    found = open_recording(path.with_name("d.phxrec.partial"))
    assert found.scrapes >= 1
    assert found.size == path.with_name("d.phxrec.partial").stat().st_size, "no half frame is left"


def test_options_that_cannot_be_meant_are_refused(phoenix: Phoenix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(phoenix.folder)
    for words, what in (
        (("--duration", "0s"), "--duration"),
        (("--duration", "soon"), "not a duration"),
        (("--interval", "0.1s"), "--interval"),
        (("--max-size", "1KiB"), "--max-size"),
        (("--redact", "("), "--redact"),
        (("--metric", 'x"'), "--metric"),
    ):
        assert what in refusal(phoenix, "host", "record", "--file", "e.phxrec", *words)
    assert not list(phoenix.folder.glob("e.phxrec*"))
