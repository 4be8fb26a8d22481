"""`phoenix webhook`: where events are told, what was sent, and sending it again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.notifications import deliveries_table, gates_table, webhook_text, webhooks_table

app = typer.Typer(no_args_is_help=True, help="Webhooks: tell other systems what happens, signed and repeated.")
PATH = "/api/v1/webhooks"
NameArgument = Annotated[str, typer.Argument(help="Name of the webhook.")]


@app.command("create")
def create(
    name: NameArgument,
    url: Annotated[str, typer.Option(help="Where to: http or https.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Event type, * for any part; may repeat. Without: everything.")
    ] = None,
    slack: Annotated[bool, typer.Option("--slack", help="Send what Slack's incoming webhooks take.")] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Ask it before every promotion.")] = False,
    deadline: Annotated[str, typer.Option(help="How long a gate may take to answer.")] = "10m",
    otherwise: Annotated[str, typer.Option(help="Without an answer in time: hold or deny.")] = "hold",
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a webhook. Its signing secret is shown this once."""
    body: dict[str, Any] = {"name": name, "url": url, "format": "slack" if slack else "standard"}
    if event:
        body["events"] = event
    if gate:
        body["gate"] = {"deadline": deadline, "otherwise": otherwise}
    made = connect().post(PATH, body)
    emit(made, output, lambda value: value["secret"])
    note("this is the only time it is shown; receivers check the header webhook-signature with it")


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List webhooks."""
    emit(connect().items(PATH), output, rows(webhooks_table))


@app.command("show")
def show(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Show a webhook, without its secret."""
    emit(connect().get(f"{PATH}/{name}"), output, webhook_text)


@app.command("test")
def send_test(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Send a test event; see what became of it with phoenix webhook deliveries."""
    emit(connect().post(f"{PATH}/{name}/test"), output, rows(deliveries_table))


@app.command("deliveries")
def deliveries(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """List what was sent and what became of it."""
    emit(connect().items(f"{PATH}/{name}/deliveries"), output, rows(deliveries_table))


@app.command("replay")
def replay(
    name: NameArgument,
    delivery: Annotated[list[str] | None, typer.Argument(help="Ids; without: every dead letter.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send events once more, under their own ids."""
    client = connect()
    dead = [one["id"] for one in client.items(f"{PATH}/{name}/deliveries") if one["standing"] == "dead"]
    chosen = delivery or dead
    if not chosen:
        note("there is no dead letter")
    again = [client.post(f"{PATH}/{name}/deliveries/{one}/replay") for one in chosen]
    emit(again, output, rows(deliveries_table))


@app.command("gates")
def gates(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")], output: OutputOption = Output.TABLE
) -> None:
    """List which gates were asked before a promotion, and what they said."""
    emit(connect().items(f"/api/v1/experiments/{experiment}/gates"), output, rows(gates_table))


@app.command("answer")
def answer(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    webhook: Annotated[str, typer.Argument(help="Name of the gate.")],
    decision: Annotated[str, typer.Argument(help="approve or deny.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit.")] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Answer for a gate. The first answer counts."""
    body = {"decision": decision, "reason": reason}
    emit(connect().post(f"/api/v1/experiments/{experiment}/gates/{webhook}", body), output, rows(gates_table))


@app.command("delete")
def delete(name: NameArgument) -> None:
    """Delete a webhook; what is on its way becomes a dead letter."""
    connect().delete(f"{PATH}/{name}")
    note(f"webhook {name} is deleted")
