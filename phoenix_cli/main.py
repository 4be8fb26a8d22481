"""The `phoenix` command: its groups of commands, and the one place where errors become text and an exit code."""

from __future__ import annotations

import sys

import click
import typer

from chalicelib.domain.errors import PhoenixError
from phoenix_cli.commands import demo, experiment, host, loadsim, local, pipeline, token
from phoenix_cli.problems import EXIT_ERROR, EXIT_INTERRUPTED, exit_code, text

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
app.add_typer(loadsim.app, name="loadsim")
app.add_typer(token.app, name="token")
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command line; exits with a documented code, never with a traceback."""
    try:
        result = app(standalone_mode=False)
    except PhoenixError as error:
        print(text(error, getattr(error, "lines", None), getattr(error, "file", "")), file=sys.stderr)
        sys.exit(exit_code(error))
    except click.exceptions.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # The reader went away (`phoenix … | head`): nothing is wrong.
        sys.exit(EXIT_ERROR)
    sys.exit(result if isinstance(result, int) else 0)
