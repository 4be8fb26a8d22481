"""`phoenix pipeline create | update | versions | delete`: pipelines of one's own, from a file on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, PhoenixError
from phoenix_cli.client import Client, connect
from phoenix_cli.commands.pipeline_options import DEPLOYMENTS, PATH, criticals
from phoenix_cli.output import Output, OutputOption, emit, note
from phoenix_cli.pipeline_file import PipelineFile, read_pipeline_file
from phoenix_cli.show.pipelines.own_pipelines import saved_notes, saved_table, versions_table

OptionalName = Annotated[str | None, typer.Argument(help="Default: the name that the document has.")]
OwnName = Annotated[str, typer.Argument(help="Name of one of your own pipelines.")]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="A pipeline document, a folder in the catalog's form, or a collector configuration; - reads.",
    ),
]
Collector = Annotated[
    Path | None, typer.Option("--from-collector", help="A collector configuration, whatever else it looks like.")
]
Choice = Annotated[
    str | None,
    typer.Option("--pipeline", help="Which metrics pipeline of a collector configuration, such as metrics/x."),
]
Title = Annotated[str | None, typer.Option(help="In place of the file's.")]
Note = Annotated[str, typer.Option(help="What is new in this version.")]
Critical = Annotated[
    list[str] | None,
    typer.Option("--critical", help="Name pattern that it must never drop: tried before it is stored."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings refuse as well.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Validate, but store nothing.")]


def create(
    name: OptionalName = None,
    file: File = None,
    from_collector: Collector = None,
    pipeline: Choice = None,
    title: Title = None,
    note_: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
    critical: Critical = None,
    strict: Strict = False,
    dry_run: DryRun = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create a pipeline of your own. It is validated first; nothing is stored when it is refused."""
    read = _read(file, from_collector)
    body = _body(read, pipeline, title, note_, critical, strict, dry_run)
    _save(PATH, {**body, **({"name": name} if name else {})}, read, output)


def update(
    name: OwnName,
    file: File = None,
    from_collector: Collector = None,
    pipeline: Choice = None,
    title: Title = None,
    note_: Annotated[str, typer.Option("--note", help="What is new in this version.")] = "",
    critical: Critical = None,
    strict: Strict = False,
    dry_run: DryRun = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a new version of a pipeline of your own. What runs with an older one goes on with that."""
    read = _read(file, from_collector)
    body = _body(read, pipeline, title, note_, critical, strict, dry_run)
    _save(f"{PATH}/{name}/versions", body, read, output)


def versions(name: OwnName, output: OutputOption = Output.TABLE) -> None:
    """List every version of a pipeline of your own: who made it, when, and what validation said."""
    emit(connect().items(f"{PATH}/{name}/versions"), output, versions_table)


def delete(
    name: Annotated[str, typer.Argument(help="A deployment, or a pipeline of your own.")],
    deployment: Annotated[bool, typer.Option("--deployment", help="The deployment of this name.")] = False,
    own: Annotated[bool, typer.Option("--own", help="The pipeline of your own of this name.")] = False,
) -> None:
    """Delete a deployment (its hosts go idle), or a pipeline of your own that nothing uses."""
    client = connect()
    if deployment and own:
        raise InvalidInput("give --deployment or --own, not both")
    if not (deployment or own):
        deployment, own = _meant(client, name)
    if own:
        client.delete(f"{PATH}/{name}")
        note(f"pipeline {name} is deleted; what was compared with it can still be shown")
    else:
        client.delete(f"{DEPLOYMENTS}/{name}")
        note(f"deployment {name} is deleted; its hosts run idle")


def _meant(client: Client, name: str) -> tuple[bool, bool]:
    """Whether a name alone means a deployment or an own pipeline. Raises Conflict when it could be either."""
    deployed = _there(client, f"{DEPLOYMENTS}/{name}") is not None
    own = any(one["name"] == name and one["source"] == "own" for one in client.items(PATH))
    if deployed and own:
        raise Conflict(f"{name!r} is a deployment and a pipeline of your own", hint="say which: --deployment or --own")
    if not (deployed or own):
        hint = "see: phoenix pipeline list-deployments, phoenix pipeline list"
        raise NotFound(f"neither a deployment nor a pipeline of your own is named {name!r}", hint=hint)
    return deployed, own


def _there(client: Client, path: str) -> Any:
    try:
        return client.get(path)
    except NotFound:
        return None


def _read(file: Path | None, from_collector: Path | None) -> PipelineFile:
    if (file is None) == (from_collector is None):
        raise InvalidInput(
            "give --file, or --from-collector with a collector configuration",
            hint="a way to begin: phoenix pipeline export process-topk-v1 --format phoenix --output-file mine.yaml",
        )
    return read_pipeline_file(file or from_collector or Path("-"), collector=from_collector is not None)


def _body(
    read: PipelineFile,
    pipeline: str | None,
    title: str | None,
    note_: str,
    critical: list[str] | None,
    strict: bool,
    dry_run: bool,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "text": read.text,
        "note": note_,
        "critical": criticals(critical),
        "strict": strict,
        "dryRun": dry_run,
    }
    given = {"metadata": read.metadata, "pipeline": pipeline, "title": title}
    return body | {key: value for key, value in given.items() if value is not None}


def _save(path: str, body: dict[str, Any], read: PipelineFile, output: Output) -> None:
    try:
        made = connect().post(path, body)
    except PhoenixError as error:
        raise read.explained(error) from error
    for line in saved_notes(made, read):
        note(line)
    emit(made, output, saved_table)
