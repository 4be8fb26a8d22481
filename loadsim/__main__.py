"""`python -m loadsim run|agent`: arguments in, exit code out. Parsing and wiring only.

Exit codes: 0 done, 1 error, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, PhoenixError, Rejected
from chalicelib.domain.load import MAX_DURATION_S, LoadPhase, LoadSpec
from loadsim.generator import Generator
from loadsim.marker import RUN_ID
from loadsim.signals import EndWatch


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors go to standard error as one line."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s loadsim %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        if not sys.platform.startswith("linux"):
            raise Rejected(
                f"loadsim needs Linux (prctl and /proc); this is {sys.platform}", hint="run it on a Linux host"
            )
        return _run(options) if options.command == "run" else _agent(options)
    except PhoenixError as error:
        print(f"error: {error.detail}" + (f"\n  {error.hint}" if error.hint else ""), file=sys.stderr)
        return 2 if isinstance(error, InvalidInput) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadsim", description="Real process load, and the agent that runs it"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run one load until its duration is over or SIGTERM")
    run.add_argument("--spec", required=True, help='load request as JSON, such as {"profile": "realistic"}')
    run.add_argument("--status-file", required=True, type=Path, help="where the status is written every second")
    run.add_argument("--duration", type=float, help="seconds; shortens what the spec says, never lengthens it")
    run.add_argument("--elapsed", type=float, default=0.0, help="seconds that an earlier run of this load had")
    run.add_argument("--run-id", help="mark of its processes in PHOENIX_LOADSIM (default: random)")
    agent = commands.add_parser(
        "agent", help="run what the control plane wants; the host token is read from PHOENIX_TOKEN"
    )
    agent.add_argument("--endpoint", required=True, help="URL of the control plane")
    agent.add_argument("--host", required=True, help="name under which this host is enrolled")
    agent.add_argument("--data-dir", required=True, type=Path, help="folder for what must survive a restart")
    for command in (run, agent):
        command.add_argument(
            "--die-with-parent",
            action="store_true",
            help="end when the starting process does; standard input must be a pipe that it holds open",
        )
    return parser


def _run(options: argparse.Namespace) -> int:
    spec = _spec(options.spec)
    duration = spec.duration_s if options.duration is None else min(options.duration, spec.duration_s)
    if not 0 < duration <= MAX_DURATION_S:
        raise InvalidInput(f"--duration: {duration:g} is not between 0 and {MAX_DURATION_S:g} seconds")
    if not 0 <= options.elapsed <= MAX_DURATION_S:
        raise InvalidInput(f"--elapsed: {options.elapsed:g} is not between 0 and {MAX_DURATION_S:g} seconds")
    run_id = options.run_id or f"run-{secrets.token_hex(6)}"
    if not RUN_ID.fullmatch(run_id):
        raise InvalidInput("--run-id: use letters, digits, '.', '_' and '-', at most 128")
    with EndWatch(with_parent=options.die_with_parent) as watch:
        status = Generator(spec, run_id, options.status_file, duration, options.elapsed).run(watch)
        if status.phase is LoadPhase.FAILED:
            print(f"error: {status.reason}", file=sys.stderr)
            return 1
        return 130 if watch.interrupted else 0


def _spec(text: str) -> LoadSpec:
    try:
        return LoadSpec.model_validate_json(text)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'spec'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False)
        ]
        raise InvalidInput("--spec: " + "; ".join(lines)) from error


def _agent(options: argparse.Namespace) -> int:
    # Imported here because `run` needs no HTTP client: half the memory of each generator.
    from loadsim.agent import Agent, lock
    from loadsim.control_plane import ControlPlane
    from loadsim.runs import Runs

    token = os.environ.pop("PHOENIX_TOKEN", "")
    if not token:
        raise InvalidInput("PHOENIX_TOKEN is not set", hint="it holds the host token that enrolment gave this host")
    with (
        lock(options.data_dir),
        EndWatch(with_parent=options.die_with_parent) as watch,
        ControlPlane(options.endpoint, options.host, token) as control_plane,
        Runs(options.data_dir, wall=time.time) as runs,
    ):
        Agent(control_plane, runs).run(watch)
        return 130 if watch.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
