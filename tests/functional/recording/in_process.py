"""The command line without the cost of a process of its own, for what never comes as far as a collector."""

from __future__ import annotations

from rich.console import Console, RenderableType
from typer.testing import CliRunner

from chalicelib.domain.errors import PhoenixError
from phoenix_cli.main import app
from phoenix_cli.problems import text
from tests.acceptance.command_line import Phoenix


def refusal(phoenix: Phoenix, *words: str) -> str:
    """The text of the error that a command ends with. AssertionError when it ends otherwise."""
    result = CliRunner().invoke(app, list(words), env=phoenix.env)
    assert isinstance(result.exception, PhoenixError), result
    return text(result.exception)


def text_of(view: RenderableType) -> str:
    """What a terminal without colours shows."""
    console = Console(width=200, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(view, markup=False)
    return capture.get()
