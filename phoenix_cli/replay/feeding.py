"""Running a collector on a recording: start, one scrape after the other, each answered when all of it is delivered."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline.masking import mask_text
from chalicelib.domain.pipeline.rendering import Fragment
from phoenix_cli.collector.intake import Intake
from phoenix_cli.collector.process import CollectorProcess, free_port
from phoenix_cli.recording.reader import Recording
from phoenix_cli.replay.clock import moved
from phoenix_cli.replay.configuration import ENVIRONMENT, MOVED, RECORDED, Addresses, replay_config
from phoenix_cli.replay.errors import ReplayFailed
from phoenix_cli.replay.sinks import ReplaySinks, Stream

START_SECONDS = 60.0
SCRAPE_SECONDS = 300.0
"""For one scrape through all pipelines."""
_TRIES, _PAUSE_SECONDS = 10, 1.0
_BUSY = (429, 502, 503)


@dataclass(frozen=True)
class Replayed:
    """What came out. raw: the counts of the raw stream; outputs: by pipeline, in the order given."""

    raw: Stream
    outputs: tuple[Stream, ...]


def replay(
    recording: Recording,
    fragments: Sequence[Fragment],
    critical: Sequence[CriticalPattern],
    collector: Path,
    progress: Callable[[int], None],
) -> Replayed:
    """The recording through all pipelines at once. progress: called with the number of scrapes done. Raises
    ReplayFailed with the collector's words, RecordingUnusable, InvalidInput, Unavailable."""
    sinks = ReplaySinks()
    with TemporaryDirectory(prefix="phoenix-replay-") as folder, Intake(sinks.take) as intake:
        at = Addresses(free_port(), free_port(), intake.url)
        config = replay_config(fragments, critical, recording.header, at)
        ports = [(name, {RECORDED: at.recorded, MOVED: at.moved}[name]) for name in config["receivers"]]
        with CollectorProcess(collector, Path(folder), config, ENVIRONMENT) as running:
            for _, port in ports:
                running.wait_listening(port, time.monotonic() + START_SECONDS)
            by_ns = running.started_ns() - recording.header.collector_started_ns
            for number, request in enumerate(recording.requests()):
                sinks.begin_scrape(len(fragments))
                for name, port in ports:
                    sent = moved(request, by_ns) if name == MOVED else request
                    _feed(running, port, sent.SerializeToString(), number)
                progress(number + 1)
    return Replayed(sinks.streams[-1], tuple(sinks.streams[number] for number in range(len(fragments))))


def _feed(running: CollectorProcess, port: int, body: bytes, number: int) -> None:
    for _ in range(_TRIES):
        try:
            status, words = _post(port, body)
        except (OSError, http.client.HTTPException) as error:
            why = running.words() if running.ended() else f"it did not answer: {error or type(error).__name__}"
            raise ReplayFailed(f"scrape {number} of the recording ended the collector: {why}") from error
        if status == 200:
            return
        if status not in _BUSY or "memory" not in words:
            break
        time.sleep(_PAUSE_SECONDS)
    raise ReplayFailed(
        f"the collector refused scrape {number} of the recording: {words}",
        hint="a pipeline that fails on a scrape sends nothing for it; see what it says about its own statements",
    )


def _post(port: int, body: bytes) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SCRAPE_SECONDS)
    try:
        connection.request("POST", "/v1/metrics", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        text = answer.read(16_384)
    finally:
        connection.close()
    said = "".join(char if char.isprintable() else " " for char in text.decode("utf-8", "replace")).strip()
    return answer.status, mask_text(said)[:600] or f"HTTP {answer.status}"
