"""The `phoenix` command: its groups of commands, and the one place where errors become text and an exit code."""

from __future__ import annotations

import os
import sys

import typer

from chalicelib.domain.errors import PhoenixError
from phoenix_cli.commands import (
    budget,
    cluster,
    cost,
    demo,
    experiment,
    host,
    loadsim,
    local,
    pipeline,
    price_book,
    token,
    webhook,
)
from phoenix_cli.problems import EXIT_ERROR, exit_code, text

app = typer.Typer(
    name="phoenix",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A/B testing of telemetry pipelines: prove on your own hosts that a leaner one loses nothing that matters.",
)
local.register(app)
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(experiment.app, name="experiment")
app.add_typer(host.app, name="host")
app.add_typer(cluster.app, name="cluster")
app.add_typer(loadsim.app, name="loadsim")
app.add_typer(token.app, name="token")
app.add_typer(price_book.app, name="price-book")
app.add_typer(budget.app, name="budget")
app.add_typer(webhook.app, name="webhook")
app.command("cost")(cost.cost)
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command line; exits with a documented code, never with a traceback (PHOENIX_DEBUG=1 shows it)."""
    try:
        app()
    except PhoenixError as error:
        print(text(error, getattr(error, "lines", None), getattr(error, "file", "")), file=sys.stderr)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away: nothing is wrong
        sys.exit(EXIT_ERROR)
    except Exception as error:
        if os.environ.get("PHOENIX_DEBUG"):
            raise
        print(f"error: Phoenix made a mistake: {type(error).__name__}: {error}", file=sys.stderr)
        print("  please report it with the output of the same command under PHOENIX_DEBUG=1", file=sys.stderr)
        sys.exit(EXIT_ERROR)
