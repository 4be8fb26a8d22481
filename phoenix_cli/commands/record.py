"""`phoenix host record` and `recording`: the raw process stream of this machine in a file, and what one holds."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.units import parse_bytes, parse_duration, show_duration
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.host_runtime.facts import host_facts
from phoenix_cli.output import Output, OutputOption, console, emit, note
from phoenix_cli.problems import EXIT_ERROR
from phoenix_cli.recording.capture import Standing, Wanted, record
from phoenix_cli.recording.form import METRIC
from phoenix_cli.recording.reader import open_recording
from phoenix_cli.recording.redaction import Redactor
from phoenix_cli.recording.summary import summarise
from phoenix_cli.recording.writer import RecordingWriter
from phoenix_cli.show.figures import clean, plural, size
from phoenix_cli.show.pipelines.preview_recording import recording_table

_WHY = {
    "size": "it reached its size limit and is shorter than asked for",
    "interrupted": "interrupted; it is shorter than asked for",
    "collector": "the collector stopped sending; it is shorter than asked for",
}
_SECONDS = 10.0
"""Between two lines of progress where no bar can be shown."""


def record_host(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Default: HOST.phxrec in this folder.")] = None,
    duration: Annotated[str, typer.Option(help="How long, from the first scrape on.")] = "2m",
    interval: Annotated[str, typer.Option(help="Time between two scrapes; use that of your pipelines.")] = "15s",
    redact: Annotated[
        list[str] | None, typer.Option(help="Regular expression; what it matches is replaced by a hash. May repeat.")
    ] = None,
    max_size: Annotated[str, typer.Option(help="The file ends in good order before it grows beyond this.")] = "64MB",
    name: Annotated[str | None, typer.Option(help="Name of this host in the file; default: its hostname.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Optional process metric that a pipeline of your own reads. May repeat.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Record the raw process stream of this machine. Needs no control plane and no root; Ctrl-C ends it early."""
    from phoenix_cli.local.catalog_here import CatalogHere  # The catalog takes a second to load.

    host = (name or socket.gethostname())[:253]
    path = file or Path(f"{_file_name(host)}.phxrec")
    every, seconds, most = _number(interval, parse_duration), _number(duration, parse_duration), _bytes(max_size)
    _bounded("--interval", every, 0.5, 3600)
    _bounded("--duration", seconds, 0.5, 7 * 86400)
    if odd := [one for one in metric or [] if not re.fullmatch(METRIC, one)]:
        raise InvalidInput(f"--metric {odd[0][:80]!r}: an optional process metric, such as process.threads")
    redactor = Redactor(redact or [], secrets.token_bytes(32))
    with progress_report(os.environ, sys.stderr) as report:
        collector = resolve_collector(os.environ, report)
    facts = host_facts(collector)
    wanted = Wanted(
        host=host,
        interval_s=every,
        duration_s=seconds,
        scraper_metrics=tuple(sorted({*CatalogHere().scraper_metrics(), *(metric or [])})),
        patterns=tuple(redact or []),
        collector_version=facts.collector_version,
        cpu_count=facts.cpu_count,
    )
    writer = RecordingWriter(path, most, replace=force)
    with _progress(seconds) as shown:
        why = record(wanted, writer, redactor, collector, stop=_stop_event(), report=shown)
    if why in _WHY:
        note(_WHY[why])
    note(f"recorded {plural(writer.scrapes, 'scrape')} in {path} ({size(writer.size)}, mode 0600)")
    note(f"next: phoenix pipeline preview process-topk-v1 --recording {path} --critical '^name$'")
    if why == "collector":
        raise typer.Exit(EXIT_ERROR)


def show_recording(
    file: Annotated[Path, typer.Argument(help="A recording.")], output: OutputOption = Output.TABLE
) -> None:
    """Show what a recording holds: processes, series, names, time, redactions. Checks every frame."""
    found = open_recording(file)
    emit(summarise(found), output, recording_table)
    if found.end is None:
        why = "its recorder was killed, or its disk full"
        note(f"{file} stops at byte {found.cut_at}: {why}; what stands before is whole")


def _file_name(host: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in clean(host)) or "host"


def _number(text: str, parse: Callable[[Any], Any]) -> float:
    try:
        return float(parse(text))
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def _bytes(text: str) -> int:
    found = int(_number(text, parse_bytes))
    if found < 64 * 1024:
        raise InvalidInput(f"--max-size {text}: at least 64KiB are needed")
    return found


def _bounded(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidInput(f"{option}: {value:g} s is not between {show_duration(low)} and {show_duration(high)}")


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[Standing], None]]:
    """A bar on a terminal, else a line now and then; both on the error output."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        yield _Lines(seconds)
        return
    columns = (TextColumn("recording"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("waiting for the first scrape", total=seconds)
        yield lambda standing: bar.update(
            task, completed=min(standing.elapsed_s, seconds), description=_line(standing, seconds)
        )


class _Lines:
    """Says where it stands every ten seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    def __call__(self, standing: Standing) -> None:
        if standing.scrapes and standing.elapsed_s >= self._next:
            self._next = standing.elapsed_s + _SECONDS
            note(f"recording: {_line(standing, self._seconds)}")


def _line(standing: Standing, seconds: float) -> str:
    if not standing.scrapes:
        return "waiting for the first scrape"
    return (
        f"{standing.elapsed_s:.0f} of {seconds:.0f} s, {plural(standing.scrapes, 'scrape')}, "
        f"{plural(standing.processes, 'process', 'processes')}, {size(standing.size)}"
    )
