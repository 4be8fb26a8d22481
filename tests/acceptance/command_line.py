"""`phoenix` as a user types it: a process of its own, with its exit code and both outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Said:
    """One finished command."""

    code: int
    out: str
    err: str


class Phoenix:
    """env: of every command. folder: where it is typed. prefix: what runs it, such as setpriv."""

    def __init__(self, env: Mapping[str, str], folder: Path, prefix: tuple[str, ...] = ()) -> None:
        self.env, self.folder, self.prefix = dict(env), folder, prefix

    def words(self, *words: str) -> list[str]:
        """The whole command."""
        return [*self.prefix, sys.executable, "-m", "phoenix_cli", *words]

    def __call__(self, *words: str, code: int | None = 0, seconds: float = 120) -> Said:
        """Run it to its end. AssertionError when it exits with another code than `code` (None: any)."""
        done = subprocess.run(
            self.words(*words),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        assert code is None or said.code == code, f"phoenix {' '.join(words)} exits {said.code}, not {code}: {said}"
        assert "Traceback" not in said.err, said.err
        return said

    def data(self, *words: str) -> Any:
        """Its result as a value (`--output json`)."""
        return json.loads(self(*words, "--output", "json").out)
