"""`phoenix experiment`: create, start, follow, compare, promote, stop, list, delete."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live

from chalicelib.domain.audit import AuditRecord
from chalicelib.domain.errors import NotFound, PhoenixError
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from chalicelib.domain.prediction.realised import Comparison
from phoenix_cli.client import Client, connect
from phoenix_cli.commands.experiment_adopt import adopt
from phoenix_cli.commands.experiment_again import clone, extend
from phoenix_cli.commands.experiment_agreement import agreement
from phoenix_cli.commands.experiment_init import init, templates
from phoenix_cli.commands.experiment_reasons import explain, recompute
from phoenix_cli.documents import read_document
from phoenix_cli.output import Output, OutputOption, console, emit, note, rows
from phoenix_cli.show.experiment.compare import compare_document, compare_table
from phoenix_cli.show.experiment.kpis import kpi_table
from phoenix_cli.show.experiment.prediction import prediction_view
from phoenix_cli.show.experiment.status import Look, changed_line, status_lines, status_view, verdict_view
from phoenix_cli.show.report.report import html_report
from phoenix_cli.show.tables import experiments_table

app = typer.Typer(no_args_is_help=True, help="Experiments: two pipelines on the same scrape of the same hosts.")
PATH = "/api/v1/experiments"
Name = Annotated[str, typer.Argument(help="Name of the experiment.")]
app.command()(extend)
app.command()(clone)
app.command()(adopt)
app.command()(init)
app.command()(templates)
app.command()(explain)
app.command()(recompute)
app.command()(agreement)

EXIT_RUNNING, EXIT_VERDICT = 6, {"promote": 0, "reject": 3, "inconclusive": 4, "insufficient_data": 5, "error": 1}
"""Exit codes of `status --wait`: by verdict, or 6 when it still runs at the deadline."""


class CompareOutput(StrEnum):
    """Form of a comparison."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    HTML = "html"


@app.command("create")
def create(
    file: Annotated[Path, typer.Option("--file", "-f", help="The experiment as YAML or JSON; - reads standard input.")],
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create an experiment from a file. Nothing is created when anything in it is wrong."""
    document = read_document(file)
    try:
        made = connect().post(PATH, document.value, start="true" if start else "false")
    except PhoenixError as error:
        error.lines, error.file = document.lines, document.name  # type: ignore[attr-defined]
        raise
    for warning in made["warnings"]:
        note(f"warning: {warning}")
    emit(made["experiment"], output, rows(experiments_table))


@app.command("start")
def start(name: Name) -> None:
    """Start a draft."""
    _order(name, "start")


@app.command("pause")
def pause(name: Name) -> None:
    """Let its clock stand still; collection goes on."""
    _order(name, "pause")


@app.command("resume")
def resume(name: Name) -> None:
    """Let its clock go on."""
    _order(name, "resume")


@app.command("stop")
def stop(name: Name) -> None:
    """Stop it; what ran before is restored."""
    _order(name, "stop")


@app.command("promote")
def promote(
    name: Name,
    hosts: Annotated[
        str | None, typer.Option("--hosts", help="Stages as shares of the hosts, such as 10%,50%,100%.")
    ] = None,
    soak: Annotated[str, typer.Option(help="With --hosts: how long each stage is watched before the next.")] = "5m",
    wait: Annotated[float, typer.Option(help="Seconds to wait for every collector to confirm; 0: do not wait.")] = 300,
) -> None:
    """Roll the winner out, at once or in stages; possible only with the verdict promote."""
    rollout = {"stages": [share.strip() for share in hosts.split(",")], "soak": soak} if hosts else None
    _order(name, "promote", {"rollout": rollout} if rollout else {})
    if wait > 0:
        experiment, _ = follow(connect(), name, wait, quiet=True)
        note(f"experiment {name} is {experiment.state.value}: {experiment.message}")
        if experiment.state is not State.COMPLETED:
            raise typer.Exit(EXIT_RUNNING if experiment.active else 1)


@app.command("status")
def status(
    name: Name,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    wait: Annotated[float | None, typer.Option(help="Wait so many seconds for its end.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show where it stands; with --watch or --wait, follow it. Exit codes: docs/reference/exit-codes.md."""
    client = connect()
    if watch or wait is not None:
        seconds = wait if wait is not None else 365 * 86400.0
        experiment, evaluation = follow(client, name, seconds, quiet=output is not Output.TABLE)
    else:
        experiment, evaluation = fetch(client, name)
    if output is not Output.TABLE:
        emit(_document(experiment, evaluation, predicted(client, name)), output, str)
    elif not watch or not sys.stdout.isatty():
        print("\n".join(status_lines(experiment, evaluation, time.time())))
        console().print(prediction_view(predicted(client, name)))
    if watch or wait is not None:
        raise typer.Exit(_exit(experiment))


@app.command("compare")
def compare(
    name: Name,
    output: Annotated[CompareOutput, typer.Option("--output", "-o", help="Form of the result.")] = CompareOutput.TABLE,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Write it there (html: default NAME.html).")] = None,
) -> None:
    """Raw, baseline and candidate side by side, with the verdict and its evidence."""
    client = connect()
    experiment, evaluation = fetch(client, name)
    if output is CompareOutput.HTML:
        path = file or Path(f"{name}.html")
        path.write_text(report(client, experiment, evaluation), "utf-8")
        note(f"wrote {path}")
        return
    if output is CompareOutput.TABLE:
        console().print(compare_table(experiment, evaluation))
        if evaluation is not None and evaluation.kpis:
            console().print(kpi_table(evaluation))
        console().print(verdict_view(experiment, evaluation))
        console().print(prediction_view(predicted(client, name)))
        return
    emit(compare_document(experiment, evaluation, comparison=predicted(client, name)), Output(output.value), str)


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List experiments."""
    emit(connect().items(PATH), output, rows(experiments_table))


@app.command("show")
def show(name: Name, output: OutputOption = Output.YAML) -> None:
    """Show an experiment with every default filled in."""
    emit(connect().get(f"{PATH}/{name}"), output, rows(experiments_table))


@app.command("delete")
def delete(name: Name) -> None:
    """Forget an ended experiment; its audit stays."""
    connect().delete(f"{PATH}/{name}")
    note(f"experiment {name} is deleted")


def fetch(client: Client, name: str) -> tuple[Experiment, Evaluation | None]:
    """An experiment and its latest evaluation."""
    experiment = Experiment.model_validate(client.get(f"{PATH}/{name}"))
    try:
        return experiment, Evaluation.model_validate(client.get(f"{PATH}/{name}/evaluation"))
    except NotFound:
        return experiment, None


def predicted(client: Client, name: str) -> Comparison | None:
    """What a preview predicted of an experiment, beside what was measured; None when there is no prediction."""
    try:
        return Comparison.model_validate(client.get(f"{PATH}/{name}/prediction"))
    except NotFound:
        return None


def report(
    client: Client, experiment: Experiment, evaluation: Evaluation | None, phases: dict[str, float] | None = None
) -> str:
    """The self-contained HTML page of an experiment."""
    configs = client.get(f"{PATH}/{experiment.name}/configs")
    audit = [AuditRecord.model_validate(item) for item in client.items(f"{PATH}/{experiment.name}/audit")]
    comparison = predicted(client, experiment.name)
    return html_report(experiment, evaluation, configs, audit, now=time.time(), phases=phases, comparison=comparison)


def follow(client: Client, name: str, seconds: float, *, quiet: bool) -> tuple[Experiment, Evaluation | None]:
    """Follow an experiment to its end, or to where it waits for a person, or for so many seconds."""
    deadline = time.monotonic() + seconds
    live = Live(console=console(), refresh_per_second=4) if sys.stdout.isatty() and not quiet else None
    previous: Look | None = None
    if live:
        live.start()
    try:
        while True:
            current = fetch(client, name)
            if live:
                live.update(status_view(*current, time.time()))
            look = Look(*current, time.time())
            if not live and not quiet and (line := changed_line(previous, look)):
                print(line, flush=True)
            previous = look
            state = current[0].state
            if state in END_STATES or state in (State.DRAFT, State.AWAITING_PROMOTION) or time.monotonic() >= deadline:
                return current
            time.sleep(1.0)
    finally:
        if live:
            live.stop()


def _order(name: str, cause: str, body: dict[str, Any] | None = None) -> None:
    experiment = Experiment.model_validate(connect().post(f"{PATH}/{name}/{cause}", body))
    note(f"experiment {name} is {experiment.state.value}")


def _document(experiment: Experiment, evaluation: Evaluation | None, comparison: Comparison | None) -> dict[str, Any]:
    return {
        "experiment": experiment.model_dump(mode="json", by_alias=True),
        "evaluation": evaluation.model_dump(mode="json", by_alias=True) if evaluation else None,
        "prediction": comparison.model_dump(mode="json", by_alias=True) if comparison else None,
    }


def _exit(experiment: Experiment) -> int:
    if experiment.state not in END_STATES and experiment.state is not State.AWAITING_PROMOTION:
        return EXIT_RUNNING
    if experiment.outcome is None:
        return 0 if experiment.state is State.STOPPED else 1
    return EXIT_VERDICT[experiment.outcome.verdict]
