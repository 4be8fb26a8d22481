"""`python -m loadsim run|job|agent`: arguments in, exit code out. Parsing and wiring only.

Exit codes: 0 done, 1 error, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
import time
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, PhoenixError, Rejected
from chalicelib.domain.kubernetes.load_job import LOAD_PORT
from chalicelib.domain.load import MAX_DURATION_S, LoadPhase, LoadSpec, LoadStatus
from loadsim.generator import Generator
from loadsim.pod.pod import PodLoad, go_first, leave_last_words
from loadsim.processes.marker import RUN_ID, VARIABLE
from loadsim.signals import EndWatch
from loadsim.status_file import write_status

_LONGEST_SPEC = 1_000_000
"""Bytes. The largest request that LoadSpec takes has about a tenth."""


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
        return {"run": _run, "job": _job, "agent": _agent}[options.command](options)
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
    job = commands.add_parser("job", help="run one load as the main process of a pod")
    request = job.add_mutually_exclusive_group(required=True)
    request.add_argument("--spec", help="load request as JSON")
    request.add_argument("--spec-file", type=Path, help="file that holds it")
    job.add_argument("--port", type=int, default=LOAD_PORT, help="where GET /status answers (default: %(default)s)")
    job.add_argument("--run-id", help=f"mark of its processes (default: {VARIABLE} of the environment, or random)")
    job.add_argument(
        "--last-words",
        type=Path,
        default=Path("/dev/termination-log"),
        help="file that gets the last status (default: %(default)s, where Kubernetes looks)",
    )
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
    with EndWatch(with_parent=options.die_with_parent) as watch:
        tell = partial(write_status, options.status_file)
        return _ended(Generator(spec, _run_id(options), tell, duration, options.elapsed).run(watch), watch)


def _job(options: argparse.Namespace) -> int:
    with EndWatch(with_parent=False) as watch:
        try:
            if not 0 < options.port < 65536:
                raise InvalidInput(f"--port: {options.port} is not between 1 and 65535")
            run_id = _run_id(options)
            spec = _spec(options.spec if options.spec is not None else _read(options.spec_file))
            go_first()
            return _ended(PodLoad(spec, run_id, options.port, options.last_words).run(watch), watch)
        except PhoenixError as error:  # also where Kubernetes looks: its log may be gone when somebody asks
            failed = LoadStatus(phase=LoadPhase.FAILED, ended_at=time.time(), reason=error.detail[:500])
            leave_last_words(options.last_words, failed)
            raise


def _ended(status: LoadStatus, watch: EndWatch) -> int:
    if status.phase is LoadPhase.FAILED:
        print(f"error: {status.reason}", file=sys.stderr)
        return 1
    return 130 if watch.interrupted else 0


def _run_id(options: argparse.Namespace) -> str:
    given = os.environ.get(VARIABLE) if options.command == "job" else None  # the pod's own, which shows it as marked
    run_id: str = options.run_id or given or f"{options.command}-{secrets.token_hex(6)}"
    if not RUN_ID.fullmatch(run_id):
        raise InvalidInput("--run-id: use letters, digits, '.', '_' and '-', at most 128")
    return run_id


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_SPEC + 1)
    except OSError as error:
        raise InvalidInput(f"--spec-file {path}: {error.strerror}") from error
    if len(data) > _LONGEST_SPEC:
        raise InvalidInput(f"--spec-file {path}: longer than {_LONGEST_SPEC} bytes, as no load request is")
    return data.decode("utf-8", "replace")


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
    from loadsim.agent.agent import Agent, lock
    from loadsim.agent.control_plane import ControlPlane
    from loadsim.agent.runs import Runs

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
