"""The status of an experiment in a terminal: plain lines, a rich view of the same lines, the verdict, and one line per
change for a piped watch. Nothing is measured or decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chalicelib.domain.evaluation.result.result import Evaluation, Miss
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from chalicelib.domain.loadsim import LoadSim
from phoenix_cli.show import figures
from phoenix_cli.show.experiment.canary import arms_fact
from phoenix_cli.show.experiment.facts import Fact, critical_fact, facts, left_fact, reduction_fact, waiting_fact
from phoenix_cli.show.experiment.kpis import kpi_lines
from phoenix_cli.show.experiment.ruling import Ruling, aftermath, arm_title, next_step, ruling
from phoenix_cli.show.loads import in_words

MARKS = {True: "✓", False: "✗", None: ""}
_STYLES = {"good": "bold green", "bad": "bold red", "open": "bold yellow", "none": "bold"}
STALE_LOOKS = 3
"""Looks that may be missed before an evaluation is called stale."""


@dataclass(frozen=True)
class _Head:
    name: str
    standing: str
    arms: str
    fresh: str


def status_lines(
    experiment: Experiment, evaluation: Evaluation | None, now: float, loads: Sequence[LoadSim] = ()
) -> list[str]:
    """Plain lines. now: Unix seconds. loads: the experiment's own, from the hosts' reports."""
    head = _head(experiment, evaluation, now)
    lines = [f"{head.name}   {head.standing}{'   ' + head.fresh if head.fresh else ''}", head.arms]
    for fact in _all_facts(experiment, evaluation, now, loads):
        mark = MARKS[fact.mark]
        lines.append(f"  {fact.label:<14}  {fact.text}{'   ' + mark if mark else ''}")
    if evaluation is not None and evaluation.kpis:
        lines += ["  KPIs", *(f"    · {line}" for line in kpi_lines(evaluation))]
    return lines


def status_view(
    experiment: Experiment, evaluation: Evaluation | None, now: float, loads: Sequence[LoadSim] = ()
) -> RenderableType:
    """The same for a terminal that shows colour; fit for `rich.live.Live`."""
    head = _head(experiment, evaluation, now)
    top = Table.grid(padding=(0, 3), expand=True)
    top.add_column()
    top.add_column(justify="right", no_wrap=True)
    title = Text.assemble((head.name, "bold"), "   ", head.standing)
    top.add_row(title, Text(head.fresh, style="yellow" if "stale" in head.fresh else "green"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for fact in _all_facts(experiment, evaluation, now, loads):
        style = {True: "green", False: "bold red", None: ""}[fact.mark]
        text = Text(fact.text)
        if fact.mark is not None:
            text.append(f"   {MARKS[fact.mark]}", style=style)
        grid.add_row(Text("  " + fact.label), text)
    parts: list[RenderableType] = [top, Text(head.arms), Text(""), grid]
    if evaluation is not None and evaluation.kpis:
        parts += [Text("  KPIs", style="dim"), *(Text(f"    · {line}") for line in kpi_lines(evaluation))]
    return Group(*parts)


def verdict_lines(experiment: Experiment, evaluation: Evaluation | None) -> list[str]:
    """The verdict and why, what was done, what comes next. Without a verdict: how it ended, or what it is doing."""
    ruled = ruling(experiment, evaluation)
    first = f"{ruled.word}  {experiment.name} · " + (
        f"candidate {arm_title(experiment.spec.candidate)}" if ruled.verdict == "promote" else ruled.headline
    )
    rows = [("what" if ruled.tone == "bad" else "why", text) for text in _sentences(ruled)]
    if evaluation is not None:
        rows += [("missing", text) for text in _misses(evaluation.critical.breaches)]
        rows += _saving(ruled, evaluation)
    if done := aftermath(experiment):
        rows.append(("done", done))
    if ruled.hint:
        rows.append(("hint", ruled.hint))
    if command := next_step(experiment, ruled):
        rows.append(("undo" if experiment.state is State.COMPLETED else "next", command))
    return [first, *_labelled(rows)]


def verdict_view(experiment: Experiment, evaluation: Evaluation | None) -> RenderableType:
    """`verdict_lines` with the verdict in colour."""
    lines = verdict_lines(experiment, evaluation)
    word = ruling(experiment, evaluation)
    first = Text(lines[0])
    first.stylize(_STYLES[word.tone], 0, len(word.word))
    return Group(first, *(Text(line) for line in lines[1:]))


@dataclass(frozen=True)
class Look:
    """One look at an experiment, for `changed_line`."""

    experiment: Experiment
    evaluation: Evaluation | None
    now: float


def changed_line(previous: Look | None, current: Look) -> str | None:
    """One line for a piped watch when something is new since the look before; None when nothing is."""
    text = _summary(current)
    if previous is not None and _summary(previous) == text:
        return None
    return f"{figures.time_of_day(current.now)}  {text}"


def _summary(look: Look) -> str:
    experiment, evaluation = look.experiment, look.evaluation
    ruled = ruling(experiment, evaluation)
    parts = [f"{experiment.name} {_words(experiment.state)}"]
    if ruled.verdict:
        parts.append(f"verdict {ruled.word} ({ruled.reason.replace('_', ' ')})")
    if evaluation is None or (ruled.verdict and experiment.state is not State.RUNNING):
        return ": ".join([" · ".join(parts), *filter(None, [figures.sentence(experiment.message, 300)])])
    last = evaluation.series.last
    if last:
        amounts = (last.raw, last.baseline, last.candidate)
        parts.append("series " + "/".join(figures.whole(amount) for amount in amounts))
    parts.append(f"reduction {' '.join(reduction_fact(evaluation).parts)}")
    critical = critical_fact(evaluation)
    parts.append(f"critical {', '.join(critical.parts)}{' ' + MARKS[critical.mark] if MARKS[critical.mark] else ''}")
    parts.append(f"{evaluation.evidence.scrapes} scrapes")
    return " · ".join(parts)


def _head(experiment: Experiment, evaluation: Evaluation | None, now: float) -> _Head:
    schedule = experiment.spec.schedule
    standing = _words(experiment.state)
    if experiment.state in (State.RUNNING, State.PAUSED):
        least, most = figures.minutes(schedule.min_duration), figures.minutes(experiment.max_duration)
        elapsed = figures.duration(experiment.elapsed(now))
        looks = figures.duration(schedule.evaluate_every)
        standing += f" · {elapsed} of {least}–{most}m · looks every {looks}"
    elif experiment.state in END_STATES and experiment.ended_at is not None:
        standing += f" · {figures.age(experiment.ended_at, now)}"
    else:
        standing += f" · for {figures.duration(now - experiment.entered_at)}"
    arms = f"baseline  {arm_title(experiment.spec.baseline)}   candidate  {arm_title(experiment.spec.candidate)}"
    return _Head(experiment.name, standing, arms, _freshness(experiment, evaluation, now))


def _freshness(experiment: Experiment, evaluation: Evaluation | None, now: float) -> str:
    if evaluation is None or not experiment.active:
        return ""
    then = evaluation.evidence.window.end_ns / 1e9
    looking = experiment.state in (State.RUNNING, State.PAUSED, State.AWAITING_PROMOTION)
    late = looking and now - then > STALE_LOOKS * experiment.spec.schedule.evaluate_every
    return f"{'stale: ' if late else ''}evaluated {figures.age(then, now)}"


def _all_facts(
    experiment: Experiment, evaluation: Evaluation | None, now: float, loads: Sequence[LoadSim]
) -> Iterable[Fact]:
    yield from _measured(experiment, evaluation)
    if loads:
        yield Fact("load", tuple(_load(load) for load in loads))
    ruled = ruling(experiment, evaluation)
    if ruled.verdict:
        yield Fact("verdict", (ruled.word, ruled.headline))
    elif evaluation is not None and experiment.active and (waits := waiting_fact(evaluation)):
        yield waits
    if left := _time_left(experiment, evaluation, now):
        yield Fact("left", (left,))
    if experiment.message and not ruled.verdict:
        yield Fact("message", (figures.sentence(experiment.message, 300),))
    if done := aftermath(experiment):
        yield Fact("done", (done,))
    command = next_step(experiment, ruled)
    if command and "--watch" not in command:
        yield Fact("undo" if experiment.state is State.COMPLETED else "next", (command,))


def _measured(experiment: Experiment, evaluation: Evaluation | None) -> Iterable[Fact]:
    if arms := arms_fact(experiment):
        yield arms
    if evaluation is not None:
        yield from facts(evaluation)


def _time_left(experiment: Experiment, evaluation: Evaluation | None, now: float) -> str:
    if experiment.state is not State.RUNNING or experiment.outcome is not None:
        return ""
    deadline = max(0.0, experiment.max_duration - experiment.elapsed(now))
    at_most = f"at most {figures.duration(deadline)} until the deadline"
    left = left_fact(evaluation) if evaluation else None
    return at_most if left is None else f"{left.text}, {at_most}"


def _load(load: LoadSim) -> str:
    status = load.status
    reason = f" ({figures.sentence(status.reason, 200)})" if status.reason else ""
    item = load.model_dump(mode="json", by_alias=True, include={"spec", "status"})
    return f"{figures.clean(load.host)} {status.phase.value} {in_words(item)}{reason}"


def _words(state: State) -> str:
    return state.value.replace("_", " ")


def _sentences(ruled: Ruling) -> list[str]:
    """One sentence a line; a full stop inside a number or name does not end one."""
    return [part for part in ruled.explanation.replace(". ", ".\n").split("\n") if part]


def _misses(breaches: Sequence[Miss]) -> list[str]:
    """Each breach beyond the three that the explanation names."""
    return [
        f"{figures.clean(miss.name)} (pid {', '.join(map(str, miss.pids[:5]))}, {miss.host}) in {miss.scrapes} scrapes"
        for miss in breaches[3:8]
    ] + ([f"and {len(breaches) - 8} more"] if len(breaches) > 8 else [])


def _saving(ruled: Ruling, evaluation: Evaluation) -> list[tuple[str, str]]:
    cost = evaluation.cost
    if ruled.verdict != "promote" or cost is None:
        return []
    book = cost.price_book
    amount = figures.money(cost.saved_per_month, book.currency)
    price = book.headline()
    example = ", an example price" if book.example else ""
    hosts = figures.plural(cost.hosts, "host")
    return [
        (
            "saves",
            f"{figures.whole(cost.saved_series)} series · about {amount} a month at {price} "
            f"(price book {book.name}{example}; for {hosts})",
        )
    ]


def _labelled(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Rows under a label that is written once."""
    lines: list[str] = []
    before = ""
    for label, text in rows:
        lines.append(f"  {label if label != before else '':<7}  {text}")
        before = label
    return lines
