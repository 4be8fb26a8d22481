"""`phoenix pipeline`: the catalog and one's own, and what of it runs where. Making one's own is `pipeline_own`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import InvalidInput, PhoenixError, Rejected, Unavailable
from chalicelib.domain.pipeline.document import to_yaml
from phoenix_cli.client import Client, connect
from phoenix_cli.commands.pipeline_export import export, rendered
from phoenix_cli.commands.pipeline_options import (
    DEPLOYMENTS,
    PATH,
    CriticalName,
    Interval,
    Name,
    Param,
    Version,
    criticals,
    parameters,
)
from phoenix_cli.commands.pipeline_own import create, delete, update, versions
from phoenix_cli.commands.preview import preview
from phoenix_cli.commands.recommend import recommend
from phoenix_cli.commands.validate import validate
from phoenix_cli.config_lines import localised
from phoenix_cli.documents import Document, read_document
from phoenix_cli.output import Output, OutputOption, console, emit, note, rows
from phoenix_cli.show.fleet.deployment import deployment_view
from phoenix_cli.show.tables import deployments_table, pipelines_table

app = typer.Typer(no_args_is_help=True, help="Pipelines: the catalog, your own, and what of it runs where.")
Deployment = Annotated[str, typer.Argument(help="Name of the deployment.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for every host to confirm; 0: do not wait.")]
SETTLED = ("active", "rolled_back")
FAILED = ("failed", "rolled_back")
UNDO_SECONDS = 20.0
"""How long a failed host may take to prove that what ran before runs again, and to send the collector's own words; one
that stays failed (its previous configuration failed too) is reported after that."""


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List the catalog and your own pipelines."""
    emit(connect().items(PATH), output, pipelines_table)


@app.command("show")
def show(
    name: Name,
    as_config: Annotated[bool, typer.Option("--rendered", help="Print a collector configuration instead.")] = False,
    version: Version = None,
    param: Param = None,
    critical: CriticalName = None,
    interval: Interval = "15s",
    backend: Annotated[str | None, typer.Option(help="OTLP/HTTP metrics URL; without: printed to the log.")] = None,
    output: OutputOption = Output.YAML,
) -> None:
    """Show a pipeline; with --rendered as a configuration that a stock collector runs as it is."""
    client = connect()
    if not as_config:
        emit(client.get(f"{PATH}/{name}", version=version), output, lambda value: pipelines_table([value]))
        return
    config = rendered(client, name, version, param, critical, interval, backend)
    if output is Output.JSON:
        emit(config, output, str)
    else:
        sys.stdout.write(to_yaml(config, header=(f"{name}, rendered by phoenix pipeline show",)))


app.command("validate")(validate)
app.command("create")(create)
app.command("update")(update)
app.command("versions")(versions)
app.command("export")(export)
app.command("preview")(preview)
app.command("recommend")(recommend)


@app.command("deploy")
def deploy(
    pipeline: Annotated[str | None, typer.Argument(help="Name of a pipeline; or give --file.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the deployment; default: the pipeline's.")] = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="May be given more than once.")] = None,
    file: Annotated[Path | None, typer.Option(help="A collector configuration of your own.")] = None,
    version: Version = None,
    param: Param = None,
    critical: CriticalName = None,
    interval: Interval = "15s",
    backend: Annotated[str | None, typer.Option(help="OTLP/HTTP metrics URL of your backend.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Offer it although it failed on a host before.")] = False,
    wait: Wait = 60.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Deploy a pipeline on hosts, or a new version of a deployment. Exits 1 when a collector refuses it."""
    plan: dict[str, Any] = {"interval": interval}
    document = read_document(file) if file else None
    if document is not None and pipeline is None:
        plan["config"] = _mapping(document)
    elif pipeline is not None and file is None:
        plan["pipeline"] = {"pipeline": pipeline, "parameters": parameters(param), "version": version}
        plan["critical"] = criticals(critical)
        plan |= {"backend": {"otlp": backend}} if backend else {}
    else:
        raise InvalidInput("give the name of a pipeline, or --file with a configuration of your own")
    client = connect()
    body = {"name": name or pipeline or Path(str(file)).stem, "hosts": host or [], "plan": plan, "force": force}
    try:
        made = client.post(DEPLOYMENTS, body)
    except PhoenixError as error:
        raise _with_lines(error, document) from error
    _finish(client, made, wait, output)


@app.command("list-deployments")
def list_deployments(output: OutputOption = Output.TABLE) -> None:
    """List deployments with what their hosts report."""
    emit(connect().items(DEPLOYMENTS), output, rows(deployments_table))


@app.command("status")
def status(deployment: Deployment, output: OutputOption = Output.TABLE) -> None:
    """Show a deployment host by host, with the collector's own error text where it failed."""
    emit(connect().get(f"{DEPLOYMENTS}/{deployment}"), output, lambda value: deployment_view(value, time.time()))


@app.command("get-active-config")
def active_config(
    deployment: Deployment,
    host: Annotated[str | None, typer.Option(help="One host only.")] = None,
    output: OutputOption = Output.YAML,
) -> None:
    """Print what the collectors say they run, secrets masked."""
    found = connect().get(f"{DEPLOYMENTS}/{deployment}/active-config")
    items = [item for item in found["items"] if host in (None, item["host"])]
    if output is Output.JSON:
        emit({"items": items, "missing": found["missing"]}, output, str)
        return
    for item in items:
        state = "the current version" if item["marker"] == item["expected"] else "NOT the current version"
        header = (f"host {item['host']}: {item['marker']}, {state}",)
        sys.stdout.write(to_yaml(item["config"], header=header))
    for missing in found["missing"]:
        note(f"host {missing} has not said what it runs")


@app.command("rollback")
def rollback(
    deployment: Deployment,
    version: Annotated[int | None, typer.Option(help="Number; default: the version before the current one.")] = None,
    wait: Wait = 60.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Go back to an earlier version."""
    client = connect()
    made = client.post(f"{DEPLOYMENTS}/{deployment}/rollback", {"version": version})
    _finish(client, made, wait, output)


app.command("delete")(delete)


def wait_settled(client: Client, name: str, seconds: float) -> dict[str, Any]:
    """Poll a deployment until every host has confirmed it, or refused it and undone it. Raises Unavailable at the
    deadline."""
    deadline = time.monotonic() + seconds
    undone_by: float | None = None
    while True:
        found: dict[str, Any] = client.get(f"{DEPLOYMENTS}/{name}")
        open_ones = {host: one["status"] for host, one in found["status"].items() if one["status"] not in SETTLED}
        now = time.monotonic()
        if not open_ones:
            return found
        if all(status in FAILED for status in open_ones.values()):
            undone_by = undone_by or now + UNDO_SECONDS
            if now >= undone_by:
                return found
        elif now >= deadline:
            waiting = ", ".join(f"{host} {status}" for host, status in open_ones.items())
            raise Unavailable(f"not every host confirmed within {seconds:g} s: {waiting}")
        time.sleep(0.3)


def _finish(client: Client, made: dict[str, Any], wait: float, output: Output) -> None:
    if wait > 0:
        with console(stderr=True).status("waiting for the hosts to confirm …"):
            made = wait_settled(client, made["name"], wait)
    emit(made, output, rows(deployments_table))
    failed = {host: one for host, one in made["status"].items() if one["status"] in FAILED}
    if failed:
        undone = all(one["status"] == "rolled_back" for one in failed.values())
        raise Rejected(
            "; ".join(f"{host}: {one['error']}" for host, one in failed.items()),
            hint="what ran before runs again" if undone else f"see phoenix pipeline status {made['name']}",
        )


def _mapping(document: Document) -> dict[str, Any]:
    if not isinstance(document.value, dict):
        wanted = "a mapping with receivers, exporters and service"
        raise InvalidInput(f"{document.name} is not a collector configuration: {wanted}")
    return document.value


def _with_lines(error: PhoenixError, document: Document | None) -> PhoenixError:
    """The error with the lines of the user's file, when there is one."""
    if document is None or not error.problems:
        return error
    found = localised(error, document.value, ("/plan/config", "/plan"))
    found.lines, found.file = document.lines, document.name  # type: ignore[attr-defined]
    return found
