"""The status of a run as a file: a LoadStatus as JSON, replaced in one step. What is said in it, generator.py knows."""

from __future__ import annotations

import os
from pathlib import Path

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.load import LoadStatus


def write_status(path: Path, status: LoadStatus) -> None:
    """Replace the file in one step: a reader sees the old status or the new one, never half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(status.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise Unavailable(f"status file {path}: {error.strerror}", hint="choose a writable --status-file") from error


def read_status(path: Path) -> LoadStatus | None:
    """The status last written; None when there is none (yet)."""
    try:
        return LoadStatus.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
