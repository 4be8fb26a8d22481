"""What commands print: tables for people, JSON and YAML for scripts. Results on standard output, notes on the other."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console, RenderableType


class Output(StrEnum):
    """Form of a result."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")]


def console(*, stderr: bool = False) -> Console:
    """A console that keeps quiet about colour when it is piped or NO_COLOR is set."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", "160"))
    return Console(file=stream, width=width, highlight=False, soft_wrap=not stream.isatty())


def emit(value: Any, output: Output, table: Callable[[Any], RenderableType | str]) -> None:
    """Print a result in the form asked for."""
    if output is Output.JSON:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    elif output is Output.YAML:
        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    else:
        console().print(table(value), markup=False)


def rows(table: Callable[[list[Any], float], RenderableType]) -> Callable[[Any], RenderableType]:
    """A table of things, made for one thing too, with ages instead of times."""
    return lambda value: table(value if isinstance(value, list) else [value], time.time())


def note(text: str) -> None:
    """A sentence for the person, on the error output, so that results stay clean."""
    print(text, file=sys.stderr, flush=True)
