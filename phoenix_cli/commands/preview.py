"""`phoenix pipeline preview`: a recording through two pipelines, in the real collector, before a host is touched."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.progress import BarColumn, Progress, TextColumn

from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.errors import InvalidInput, NotAuthenticated, PhoenixError, Unavailable
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.prediction.figures import Amount, PipelineFigures, amount, names_of
from chalicelib.domain.prediction.prediction import Conditions, PredictionDraft
from chalicelib.domain.prediction.report import PreviewReport
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.client import Client, connect
from phoenix_cli.commands.pipeline_options import parameters
from phoenix_cli.host_runtime.facts import host_facts
from phoenix_cli.output import Output, OutputOption, console, emit, note
from phoenix_cli.recording.reader import Recording, open_recording
from phoenix_cli.replay.counting import Facts, conditions, figures, look, missed
from phoenix_cli.replay.feeding import Replayed, replay
from phoenix_cli.replay.sinks import Stream
from phoenix_cli.replay.sources import ControlPlaneDefinitions, Definitions, book_of
from phoenix_cli.show.pipelines.preview import preview_view

EXIT_CRITICAL_LOST = 9
"""A preview's exit code when the candidate would lose a critical process."""
_SECONDS = 10.0
"""Between two lines of progress where no bar can be shown."""
PATH = "/api/v1/predictions"
BASELINE = "process-baseline-v1"
_PATTERNS: TypeAdapter[tuple[CriticalPattern, ...]] = TypeAdapter(tuple[CriticalPattern, ...])

RecordingOption = Annotated[Path, typer.Option("--recording", "-r", help="File of phoenix host record.")]
CriticalOption = Annotated[list[str] | None, typer.Option("--critical", help="Name pattern that must be kept.")]
CommandLineOption = Annotated[
    list[str] | None, typer.Option("--critical-command-line", help="Command line pattern that must be kept.")
]
OwnerOption = Annotated[list[str] | None, typer.Option("--critical-owner", help="Owner that must be kept.")]
BookOption = Annotated[str, typer.Option("--price-book", help="What a month is priced by.")]
CatalogOption = Annotated[
    list[Path] | None, typer.Option("--catalog", help="Folder with pipelines of your own; asks no control plane.")
]
LocalOption = Annotated[bool, typer.Option("--local", help="Ask no control plane; use the catalog that comes along.")]
SaveOption = Annotated[
    bool, typer.Option("--save/--no-save", help="Keep the prediction in the control plane, for experiments to show.")
]


@dataclass(frozen=True)
class Bench:
    """What a command replays with: all that is decided before the collector starts."""

    recording: Recording
    facts: Facts
    definitions: Definitions
    source: str
    client: Client | None
    critical: tuple[CriticalPattern, ...]
    book: PriceBook
    collector: Path
    conditions: Conditions


def preview(
    name: Annotated[str, typer.Argument(help="The pipeline to preview.")],
    recording: RecordingOption,
    against: Annotated[str, typer.Option("--against", help="The pipeline to compare with.")] = BASELINE,
    version: Annotated[str | None, typer.Option(help="Version of the pipeline; default: the newest.")] = None,
    against_version: Annotated[str | None, typer.Option(help="Version of the other; default: the newest.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="key=value of the pipeline; may repeat.")] = None,
    against_param: Annotated[
        list[str] | None, typer.Option("--against-param", help="key=value of the other; may repeat.")
    ] = None,
    critical: CriticalOption = None,
    critical_command_line: CommandLineOption = None,
    critical_owner: OwnerOption = None,
    book: BookOption = "example-2026",
    catalog: CatalogOption = None,
    local: LocalOption = False,
    save: SaveOption = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Replay a recording through a pipeline and show what it would send, save and lose. Exits 9 when a critical process
    would be lost."""
    patterns = critical_patterns(critical, critical_command_line, critical_owner)
    bench = prepare(recording, patterns, book, catalog, local=local)
    fragments = [
        bench.definitions.fragment(name, parameters(param), version),
        bench.definitions.fragment(against, parameters(against_param), against_version),
    ]
    with progress(bench.recording.scrapes, "replaying") as shown:
        replayed = replay(bench.recording, fragments, bench.critical, bench.collector, shown)
    report = preview_report(bench, fragments, replayed)
    emit(report.model_dump(mode="json", by_alias=True), output, lambda _: preview_view(report))
    if save:
        keep_pair(bench, report.candidate, report.against, replayed.raw)
    if report.missed_total:
        raise typer.Exit(EXIT_CRITICAL_LOST)


def critical_patterns(
    names: list[str] | None, command_lines: list[str] | None, owners: list[str] | None
) -> tuple[CriticalPattern, ...]:
    """The patterns of the options, in the order name, command line, owner. Raises InvalidInput."""
    given = [
        *({"name": one} for one in names or []),
        *({"commandLine": one} for one in command_lines or []),
        *({"owner": one} for one in owners or []),
    ]
    try:
        patterns = _PATTERNS.validate_python(given)
    except ValidationError as error:
        raise InvalidInput(f"--critical: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    if len({pattern.id for pattern in patterns}) != len(patterns):
        raise InvalidInput("--critical: a pattern is given twice")
    if len(patterns) > MAX_PATTERNS:
        raise InvalidInput(f"--critical: {len(patterns)} patterns are more than {MAX_PATTERNS}")
    for pattern in patterns:
        for warning in pattern.warnings():
            note(f"warning: {warning}")
    return patterns


def prepare(
    path: Path, critical: tuple[CriticalPattern, ...], book: str, catalog: list[Path] | None, *, local: bool
) -> Bench:
    """Check and read everything that a replay needs. Raises RecordingUnusable, InvalidInput, CollectorMissing."""
    recording = open_recording(path)
    facts = look(recording)
    if recording.end is None:
        note(f"{path} stops at byte {recording.cut_at}: only the {recording.scrapes} scrapes before are replayed")
    definitions, source, client = _definitions(catalog or [], local=local)
    prices = book_of(book, client)
    with progress_report(os.environ, sys.stderr) as report:
        collector = resolve_collector(os.environ, report)
    version = host_facts(collector).collector_version
    found = conditions(recording, facts, version, prices)
    return Bench(recording, facts, definitions, source, client, critical, prices, collector, found)


def _definitions(catalog: list[Path], *, local: bool) -> tuple[Definitions, str, Client | None]:
    """Through the control plane where a profile names one that answers, else the catalog of this installation."""
    if not (local or catalog):
        try:
            client = connect()
            client.get("/api/v1/pipelines", limit=1)
            return ControlPlaneDefinitions(client), f"the control plane at {client.url}", client
        except NotAuthenticated:
            pass
        except Unavailable as error:
            note(f"{error.detail}; using the catalog of this installation")
    from phoenix_cli.local.catalog_here import CatalogHere  # Loads the whole control plane.

    own = f" and {', '.join(str(one) for one in catalog)}" if catalog else ""
    return CatalogHere(tuple(one.absolute() for one in catalog)), f"the catalog of this installation{own}", None


def preview_report(bench: Bench, fragments: list[Fragment], replayed: Replayed) -> PreviewReport:
    """The report. fragments: candidate and against, as they were replayed."""
    candidate, against = (
        figures(fragment, stream, replayed.raw, bench.critical, bench.facts, bench.conditions, bench.book)
        for fragment, stream in zip(fragments, replayed.outputs, strict=True)
    )
    first, total = missed(replayed.outputs[0], replayed.raw, bench.facts)
    before = against.series.mean
    return PreviewReport(
        conditions=bench.conditions,
        source=bench.source,
        critical=bench.critical,
        raw=raw_amount(replayed.raw),
        candidate=candidate,
        against=against,
        reduction=1 - candidate.series.mean / before if before else None,
        names=names_of(replayed.outputs[1].by_name, replayed.outputs[0].by_name, bench.recording.scrapes),
        missed=first,
        missed_total=total,
        against_missed_total=missed(replayed.outputs[1], replayed.raw, bench.facts)[1],
        currency=bench.book.currency,
        assumptions=assumptions(bench.book),
    )


def assumptions(book: PriceBook) -> tuple[str, ...]:
    """What the money rests on."""
    return (
        f"{book.headline()} (price book {book.name}: {book.origin()})",
        "one host that goes on for a month as it was recorded; included amounts are taken as used up by the rest",
        *book.notes,
    )


def keep_pair(bench: Bench, candidate: PipelineFigures, against: PipelineFigures, raw: Stream) -> None:
    """Offer the prediction to the control plane; that it takes none is no failure of the command."""
    if bench.client is None:
        return
    draft = PredictionDraft(
        baseline=against,
        candidate=candidate,
        raw_series=raw_amount(raw).mean,
        critical=bench.critical,
        conditions=bench.conditions,
    )
    try:
        bench.client.post(PATH, draft.model_dump(mode="json", by_alias=True))
    except PhoenixError as error:
        note(f"the prediction was not kept: {error.detail}")
    else:
        note(f"the prediction for {candidate.pipeline} is kept: an experiment with these two pipelines will show it")


def raw_amount(raw: Stream) -> Amount:
    """Series of the recording itself per scrape."""
    return amount([number or 0 for number in raw.counted])


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, else a line now and then; both on the error output."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        yield _Lines(total, what)
        return
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} scrapes"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


class _Lines:
    """Says every ten seconds how far it is; a short replay says nothing."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what, self._next = total, what, time.monotonic() + _SECONDS

    def __call__(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS
            note(f"{self._what}: {done} of {self._total} scrapes")
