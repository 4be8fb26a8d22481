"""`phoenix pipeline recommend`: every pipeline with a few parameters on one recording; the cheapest that keeps all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import InvalidInput, PhoenixError, Rejected
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.metadata import ParameterValue
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.prediction.figures import PipelineFigures, names_of
from chalicelib.domain.prediction.grid import grid
from chalicelib.domain.prediction.proof import manifest
from chalicelib.domain.prediction.ranking import LeftOut, Ranked, Tried, rank
from chalicelib.domain.prediction.report import Choice, RecommendReport
from phoenix_cli.commands.preview import (
    BASELINE,
    Bench,
    BookOption,
    CatalogOption,
    CommandLineOption,
    CriticalOption,
    LocalOption,
    OwnerOption,
    RecordingOption,
    SaveOption,
    assumptions,
    critical_patterns,
    keep_pair,
    prepare,
    progress,
    raw_amount,
)
from phoenix_cli.output import Output, OutputOption, emit, note
from phoenix_cli.replay.counting import figures
from phoenix_cli.replay.errors import ReplayFailed
from phoenix_cli.replay.feeding import Replayed, replay
from phoenix_cli.replay.sinks import Stream
from phoenix_cli.show.pipelines.recommend import recommend_view

AT_ONCE = 8
"""Pipelines that share one collector."""
Parameters = dict[str, ParameterValue]


@dataclass(frozen=True)
class Variant:
    """One pipeline with parameters; `fragment` is None when it cannot be filled in, and `failure` says why."""

    pipeline: str
    given: Parameters
    fragment: Fragment | None
    failure: str = ""


def recommend(
    recording: RecordingOption,
    critical: CriticalOption = None,
    critical_command_line: CommandLineOption = None,
    critical_owner: OwnerOption = None,
    against: Annotated[str, typer.Option("--against", help="What reductions are measured against.")] = BASELINE,
    book: BookOption = "example-2026",
    catalog: CatalogOption = None,
    local: LocalOption = False,
    save: SaveOption = True,
    write: Annotated[Path | None, typer.Option("--write", help="File for the experiment that would prove it.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Try every pipeline with a few parameters on a recording, and rank those that keep every critical process by cost.
    Exits 1 when none does."""
    patterns = critical_patterns(critical, critical_command_line, critical_owner)
    if not patterns:
        raise InvalidInput("name at least one critical process with --critical: what must be kept decides")
    bench = prepare(recording, patterns, book, catalog, local=local)
    variants = list(_variants(bench, against))
    chunks = [variants[start : start + AT_ONCE] for start in range(0, len(variants), AT_ONCE)]
    with progress(bench.recording.scrapes * len(chunks), f"trying {len(variants) - 1} variants") as shown:
        tried, raw, reference = _try(bench, chunks, shown)
    ranked, left = rank(tried[1:])
    report = _report(bench, raw, reference, ranked, left)
    emit(report.model_dump(mode="json", by_alias=True), output, lambda _: recommend_view(report))
    if write and report.experiment:
        write.write_text(report.experiment, "utf-8")
        note(f"wrote {write}; prove it: phoenix experiment create -f {write} --start")
    if not ranked:
        raise Rejected("no pipeline keeps every critical process of this recording", hint="see why above")
    best = ranked[0].tried.figures
    if save and best:
        keep_pair(bench, best, reference, raw)


def _variants(bench: Bench, against: str) -> Iterator[Variant]:
    """What reductions are measured against, with its defaults; then every pipeline over its grid, in order of name."""
    yield Variant(against, {}, bench.definitions.fragment(against, {}))
    for metadata in bench.definitions.all():
        for given in grid(metadata):
            try:
                yield Variant(metadata.name, given, bench.definitions.fragment(metadata.name, given))
            except PhoenixError as error:
                yield Variant(metadata.name, given, None, error.detail)


def _try(
    bench: Bench, chunks: list[list[Variant]], shown: Callable[[int], None]
) -> tuple[list[Tried], Stream, PipelineFigures]:
    """Each variant with its figures, in order, the reference first; the raw stream; the reference's figures."""
    found: list[Tried] = []
    raw: Stream | None = None
    reference: tuple[Stream, PipelineFigures] | None = None
    done = 0
    for chunk in chunks:
        outcomes = _replayed(bench, chunk, lambda number, start=done: shown(start + number))  # type: ignore[misc]
        done += bench.recording.scrapes
        for variant, outcome in zip(chunk, outcomes, strict=True):
            if isinstance(outcome, str):
                found.append(Tried(variant.pipeline, dict(variant.given), None, failure=outcome))
                continue
            streams, fragment = outcome
            raw = raw or streams.raw
            stream = streams.outputs[0]
            made = figures(fragment, stream, streams.raw, bench.critical, bench.facts, bench.conditions, bench.book)
            reference = reference or (stream, made)
            gone = names_of(reference[0].by_name, stream.by_name, bench.recording.scrapes).gone_total
            found.append(Tried(variant.pipeline, dict(variant.given), made, gone))
    if raw is None or reference is None or found[0].figures is None:
        raise ReplayFailed(f"{found[0].pipeline}, which the others are measured against: {found[0].failure}")
    return found, raw, reference[1]


def _replayed(
    bench: Bench, chunk: list[Variant], shown: Callable[[int], None]
) -> list[tuple[Replayed, Fragment] | str]:
    """Each variant's streams, or why there are none. When the collector fails on one, each is tried alone."""
    ready = [variant for variant in chunk if variant.fragment is not None]
    outcome: dict[int, tuple[Replayed, Fragment] | str] = {}
    try:
        outcome = _together(bench, ready, shown)
    except (ReplayFailed, InvalidInput) as error:
        for variant in ready if len(ready) > 1 else []:
            try:
                outcome |= _together(bench, [variant], shown)
            except (ReplayFailed, InvalidInput) as own:
                outcome[id(variant)] = own.detail
        if len(ready) == 1:
            outcome[id(ready[0])] = error.detail
    return [outcome.get(id(variant), variant.failure) for variant in chunk]


def _together(
    bench: Bench, variants: list[Variant], shown: Callable[[int], None]
) -> dict[int, tuple[Replayed, Fragment] | str]:
    fragments = [variant.fragment for variant in variants if variant.fragment is not None]
    if not fragments:
        return {}
    made = replay(bench.recording, fragments, bench.critical, bench.collector, shown)
    parts = zip(variants, fragments, made.outputs, strict=True)
    return {id(variant): (Replayed(made.raw, (output,)), fragment) for variant, fragment, output in parts}


def _report(
    bench: Bench, raw: Stream, reference: PipelineFigures, ranked: list[Ranked], left: list[LeftOut]
) -> RecommendReport:
    choices = [_choice(one.place, one.tried, one.tie, reference) for one in ranked]
    choices += [_choice(None, one.tried, one.why, reference) for one in left]
    best = choices[0] if ranked else None
    text = ""
    if best and best.figures:
        tree = manifest(best.figures, reference, bench.critical, bench.conditions, best.reduction)
        text = to_yaml(tree, header=("The experiment that would prove what phoenix pipeline recommend predicts.",))
    return RecommendReport(
        conditions=bench.conditions,
        source=bench.source,
        critical=bench.critical,
        raw=raw_amount(raw),
        against=reference,
        choices=tuple(choices),
        experiment=text,
        currency=bench.book.currency,
        assumptions=assumptions(bench.book),
    )


def _choice(place: int | None, tried: Tried, why: str, reference: PipelineFigures) -> Choice:
    before = reference.series.mean
    reduction = 1 - tried.figures.series.mean / before if tried.figures and before else None
    given: dict[str, Any] = dict(tried.given)
    return Choice(
        place=place,
        pipeline=tried.pipeline,
        parameters=given,
        figures=tried.figures,
        reduction=reduction,
        names_gone=tried.gone,
        why=why,
    )
