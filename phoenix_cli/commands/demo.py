"""`phoenix demo`: what `make demo` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    harm: Annotated[bool, typer.Option("--harm", help="A candidate that drops one critical process.")] = False,
    aa: Annotated[bool, typer.Option("--aa", help="The same pipeline twice.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, and say where.")] = False,
    count: Annotated[int, typer.Option(help="Simulated processes.", min=20, max=2000)] = 300,
    busy: Annotated[int, typer.Option(help="How many of them are busy.", min=0)] = 20,
    critical: Annotated[int, typer.Option(help="How many of them are critical.", min=3, max=20)] = 5,
    folder: Annotated[Path, typer.Option(help="Gets report.html and report.json.")] = Path("phoenix-demo"),
    store: Annotated[str, typer.Option(help="Engine of the item store: sqlite or dynamodb.")] = "sqlite",
    endpoint: Annotated[str | None, typer.Option(help="DynamoDB-compatible endpoint, with --store dynamodb.")] = None,
) -> None:
    """Run a real A/B on this machine, reach a verdict, promote the winner, prove it, and remove everything again."""
    from phoenix_cli.local.demo.run import Demo, run
    from phoenix_cli.local.demo.scenario import AA, HARM, WIN

    scenario = HARM if harm else AA if aa else WIN
    words = ("--store", store, *(("--endpoint", endpoint) if endpoint else ()))
    raise typer.Exit(run(Demo(scenario, folder.absolute(), keep, count, busy, critical, words)))
