"""`phoenix experiment init|templates`: a complete experiment to begin with, written from a template. No network."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from rich.table import Table

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.experiment.spec import ExperimentManifest
from phoenix_cli.output import Output, OutputOption, emit, note
from phoenix_cli.show.tables import table

FOLDER = Path(__file__).parents[1] / "experiment_templates"


def init(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    template: Annotated[str, typer.Option(help="Which template; see: phoenix experiment templates.")] = "standard",
    host: Annotated[list[str] | None, typer.Option("--host", help="Run it there; may be given more than once.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="key=value: hosts that have it, instead.")] = None,
    critical: Annotated[
        list[str] | None, typer.Option("--critical", help="Name pattern of a process that must never disappear.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="Pipeline to compare with.")] = "process-baseline-v1",
    candidate: Annotated[str, typer.Option(help="Pipeline under test.")] = "process-topk-v1",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Write it there; never over an old one.")] = None,
) -> None:
    """Write a complete experiment to begin with; edit it, then: phoenix experiment create -f FILE."""
    text = filled(template, name, host or [], label or [], critical or [], baseline, candidate)
    if file is None:
        print(text, end="")
        return
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise Conflict(f"{file} exists", hint="choose another file, or remove it") from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from error
    note(f"wrote {file}; next: phoenix experiment create -f {file} --start")


def templates(output: OutputOption = Output.TABLE) -> None:
    """List the templates of `phoenix experiment init`."""
    emit([{"name": name, "description": _description(_text(name))} for name in names()], output, _table)


def names() -> list[str]:
    """The templates there are, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def filled(
    template: str, name: str, hosts: list[str], labels: list[str], critical: list[str], baseline: str, candidate: str
) -> str:
    """The template's text with everything in its place. Raises NotFound, InvalidInput naming option, rule and fix."""
    if bool(hosts) == bool(labels):
        raise _wrong("--host", "name hosts, or labels of hosts, and not both", "--host NAME, or --label key=value")
    if not critical:
        raise _wrong("--critical", "no critical process is named", "--critical '^nginx$'; it may be given repeatedly")
    text = Template(_text(template)).substitute(
        name=json.dumps(name),
        baseline=json.dumps(baseline),
        candidate=json.dumps(candidate),
        targets=json.dumps({"selector": {"matchLabels": _labels(labels)}} if labels else {"hosts": hosts}),
        critical=json.dumps([{"name": pattern} for pattern in critical]),
    )
    try:
        ExperimentManifest.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        raise _wrong(f"/{where}", first["msg"], "see: phoenix experiment init --help") from error
    return text


def _labels(given: list[str]) -> dict[str, str]:
    found = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not (key and equals):
            raise _wrong("--label", f"{one!r} is not key=value", "such as --label env=prod")
        found[key] = value
    return found


def _text(template: str) -> str:
    if template not in names():
        raise NotFound(f"there is no template {template[:80]!r}", hint=f"one of: {', '.join(names())}")
    return (FOLDER / f"{template}.yaml").read_text("utf-8")


def _description(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def _wrong(where: str, rule: str, fix: str) -> InvalidInput:
    return InvalidInput(f"{where}: {rule}", problems=(Problem(where, rule, fix),), hint=fix)


def _table(items: Any) -> Table:
    return table(((item["name"], item["description"]) for item in items), ("name", "for what"))
