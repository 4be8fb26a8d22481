"""A recommendation, for people: the ranking, what was left out and why, and the experiment that would prove it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from chalicelib.domain.prediction.report import Choice, RecommendReport
from phoenix_cli.show import figures
from phoenix_cli.show.figures import clean, percent, plural, sentence, whole
from phoenix_cli.show.pipelines.preview import fine_print, money, shown, title
from phoenix_cli.show.tables import table

COLUMNS = ("", "pipeline", "series>", "fewer>", "bytes>", "cost a month>", "names gone>", "note")


def recommend_view(report: RecommendReport) -> RenderableType:
    """Best first, then those left out."""
    ranked = [one for one in report.choices if one.place is not None]
    left = [one for one in report.choices if one.place is None]
    parts: list[RenderableType] = [
        Text(f"{plural(len(report.choices), 'variant')} tried against {title(report.against)}; ", style="bold").append(
            f"{len(ranked)} keep every critical process in every scrape"
        ),
        Text(""),
        table((_ranked(one, report.currency) for one in ranked), COLUMNS),
    ]
    if left:
        parts += [Text(""), table(((named(one), one.why) for one in left), ("left out", "why"))]
    parts += [Text(""), *_hidden(ranked)]
    if report.experiment:
        parts += [Text("the experiment that would prove the first one:", style="bold"), Text(report.experiment)]
        parts += [Text("save it (--write FILE), then: phoenix experiment create -f FILE --start"), Text("")]
    notes = (f"{one.pipeline}: {text}" for one in ranked if one.figures for text in one.figures.notes)
    return Group(*parts, *fine_print(report.conditions, report.source, report.assumptions, notes))


def named(one: Choice) -> str:
    """ "process-topk-v1 k=20", with what differs from the defaults."""
    given = " ".join(f"{key}={shown(value)}" for key, value in sorted(one.parameters.items()))
    return f"{one.pipeline} {given}".strip()


def _ranked(one: Choice, currency: str) -> tuple[str, ...]:
    found = one.figures
    if found is None:
        return (str(one.place), named(one), "–", "–", "–", "–", "–", sentence(one.why))
    fewer = "–" if one.reduction is None else percent(one.reduction)
    return (
        str(one.place),
        named(one),
        f"{found.series.mean:,.1f}",
        fewer,
        figures.size(found.bytes.mean),
        money(found, currency),
        whole(one.names_gone),
        sentence(one.why),
    )


def _hidden(ranked: list[Choice]) -> Iterator[Text]:
    found = ranked[0].figures if ranked else None
    for one in found.critical if found else ():
        if one.hidden:
            hidden = plural(one.hidden, "more process", "more processes")
            text = f"critical {clean(one.pattern)}: cannot be known of {hidden}: what it looks at was redacted there"
            yield Text(text, style="yellow")
