"""A preview, for people: both pipelines side by side, what is lost, and where the reduction comes from.

Names are the recorded host's: hostile, shown without what does not print. Nothing is computed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from chalicelib.domain.pipeline.metadata import ParameterValue
from chalicelib.domain.prediction.figures import Amount, MissedProcess, PatternKept, PipelineFigures
from chalicelib.domain.prediction.prediction import Conditions
from chalicelib.domain.prediction.report import PreviewReport
from phoenix_cli.show import figures
from phoenix_cli.show.figures import clean, percent, plural, sentence, whole
from phoenix_cli.show.tables import table


def preview_view(report: PreviewReport) -> RenderableType:
    """The whole report, top down: what is compared, the figures, the criticals, the names, the fine print."""
    titles = (title(report.against), title(report.candidate))
    parts: list[RenderableType] = [table(_rows(report), ("", *(f"{one}>" for one in titles)))]
    parts += [Text(""), *critical_lines(report)]
    parts += [Text(""), *_names(report)]
    parts += [Text(""), *fine_print(report.conditions, report.source, report.assumptions, notes(report))]
    return Group(*parts)


def title(pipeline: PipelineFigures) -> str:
    """ "process-topk-v1 1.1.0 (k=10)", with all its parameters."""
    given = ", ".join(f"{key}={shown(value)}" for key, value in sorted(pipeline.parameters.items()))
    return f"{pipeline.pipeline} {clean(pipeline.version)}" + (f" ({given})" if given else "")


def shown(value: ParameterValue) -> str:
    """A parameter's value as one would write it on the command line."""
    return clean(json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value)


def _rows(report: PreviewReport) -> Iterator[tuple[str, str, str]]:
    pair = (report.against, report.candidate)

    def row(label: str, cells: Iterator[str]) -> tuple[str, str, str]:
        first, second = cells
        return label, first, second

    yield row("series per scrape, mean (most)", (_amount(one.series) for one in pair))
    yield row("different series", (whole(one.different_series) for one in pair))
    yield row("points in the recording", (whole(one.points) for one in pair))
    yield row("bytes per scrape, OTLP", (figures.size(one.bytes.mean) for one in pair))
    yield row("bytes per scrape, on the wire (gzip)", (figures.size(one.wire_bytes.mean) for one in pair))
    yield row("cost a month, one such host", (money(one, report.currency) for one in pair))
    for number, pattern in enumerate(report.critical):
        yield row(f"critical {clean(pattern.id)} kept", (kept(one.critical[number]) for one in pair))
    saved = "nothing to reduce" if report.reduction is None else percent(report.reduction)
    yield "fewer series", "", saved


def kept(one: PatternKept) -> str:
    """Share kept, or why there is none."""
    if not one.seen:
        return "not seen"
    share = figures.whole_share(one.kept, one.seen)
    return f"{share} of {plural(one.processes, 'process', 'processes')}"


def critical_lines(report: PreviewReport) -> Iterator[Text]:
    """What would be lost, which scrape and process, and what cannot be known."""
    if not report.critical:
        yield Text("no critical process is named: nothing was checked (name them with --critical)", style="yellow")
        return
    for one in report.candidate.critical:
        if not one.seen:
            yield Text(f"critical {clean(one.pattern)}: nothing in the recording matches it", style="yellow")
        if one.hidden:
            hidden = plural(one.hidden, "more process", "more processes")
            yield Text(
                f"critical {clean(one.pattern)}: cannot be known of {hidden}: what it looks at was redacted there",
                style="yellow",
            )
    if report.missed_total:
        yield Text(f"LOST: {plural(report.missed_total, 'critical process-scrape')}", style="bold red")
        yield from (_missed(one) for one in report.missed)
        if report.missed_total > len(report.missed):
            yield Text(f"  and {whole(report.missed_total - len(report.missed))} more")
    elif report.candidate.keeps_critical:
        yield Text("every critical process is kept in every scrape, the first included", style="green")
    if report.against_missed_total:
        yield Text(f"the other pipeline loses {plural(report.against_missed_total, 'critical process-scrape')}")


def _missed(one: MissedProcess) -> Text:
    at = figures.time_of_day(one.at_ns / 1e9)
    return Text(f"  scrape {one.scrape} ({at}): {clean(one.name)}, pid {one.pid}, pattern {clean(one.pattern)}")


def _names(report: PreviewReport) -> Iterator[RenderableType]:
    found = report.names
    if not found.most:
        yield Text("no name loses series")
        return
    rows = (
        (one.name, f"{one.before:,.1f}", f"{one.after:,.1f}", f"{one.before - one.after:,.1f}") for one in found.most
    )
    yield table(rows, ("names that lose most", "series before>", "after>", "fewer>"))
    yield Text("")
    if found.gone_total:
        more = found.gone_total - len(found.gone)
        rest = f" and {whole(more)} more" if more else ""
        names = ", ".join(clean(name) for name in found.gone)
        yield Text(f"{plural(found.gone_total, 'name')} would disappear: {names}{rest}")
    else:
        yield Text("no name would disappear")


def notes(report: PreviewReport) -> Iterator[str]:
    """What a replay cannot tell about either pipeline, said once."""
    for one in (report.candidate, report.against):
        for text in one.notes:
            yield f"{one.pipeline}: {text}"


def fine_print(
    conditions: Conditions, source: str, assumptions: tuple[str, ...], notes: Iterator[str]
) -> Iterator[Text]:
    """Conditions, where the definitions are from, and what the money rests on."""
    yield Text(
        f"recorded on {clean(conditions.host)} {figures.day_and_time(conditions.started_at)}: "
        f"{plural(conditions.scrapes, 'scrape')} every {figures.duration(conditions.interval_s)}, "
        f"{whole(conditions.processes)} processes; replayed through collector {clean(conditions.collector_version)}",
        style="dim",
    )
    yield Text(f"pipelines from {sentence(source)}", style="dim")
    for one in dict.fromkeys((*notes, *assumptions)):
        yield Text(sentence(one), style="dim")


def _amount(one: Amount) -> str:
    return f"{one.mean:,.1f} ({whole(one.most)})"


def money(one: PipelineFigures, currency: str) -> str:
    """What a month costs, or that the price book cannot tell."""
    return "not priced" if one.per_month is None else figures.money(one.per_month, currency)
