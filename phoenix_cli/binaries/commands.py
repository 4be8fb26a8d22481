"""Running one short foreign command under a deadline. Not here: long-running processes (host_runtime)."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SHOWN_CHARACTERS = 600


class CommandFailed(Exception):
    """The command could not start, ended with an error, or was still running at its deadline."""


def run_command(
    command: Sequence[str], *, seconds: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Output and error output of the command together. Raises CommandFailed with the end of that output."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise CommandFailed(f"`{_shown(command)}` did not end within {seconds:.0f} s") from e
    except OSError as e:
        raise CommandFailed(f"`{_shown(command)}` cannot be started: {e.strerror or e}") from e
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise CommandFailed(
            f"`{_shown(command)}` ended with {done.returncode}: {text.strip()[-SHOWN_CHARACTERS:] or 'no output'}"
        )
    return text


def _shown(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])
