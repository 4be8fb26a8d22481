"""Files that only their owner may read, written whole or not at all, and the lock of a data folder.

Not here: what is in them.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.domain.errors import Conflict, PhoenixError


class DataFolderUnusable(PhoenixError):
    """The data folder cannot be made or written."""

    status = 503
    code = "PHX-DATA-DIR"
    title = "the data folder cannot be used"


class HostAlreadyRuns(Conflict):
    """Another process runs a host on this data folder."""

    code = "PHX-HOST-RUNNING"
    title = "this host is running already"


def private_folder(path: Path) -> None:
    """Make the folder when needed and take all rights from others. Raises DataFolderUnusable."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as e:
        raise DataFolderUnusable(f"{path}: {e.strerror or e}", hint="choose another with --data-dir") from e


def write_private(path: Path, text: str, *, executable: bool = False) -> None:
    """Replace the file in one rename; mode 0600, or 0700 when executable. Raises DataFolderUnusable."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o700 if executable else 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as e:
        new.unlink(missing_ok=True)
        raise DataFolderUnusable(f"{path}: {e.strerror or e}", hint="choose another with --data-dir") from e


def private_fifo(path: Path) -> None:
    """Have a named pipe of mode 0600 at `path`, replacing whatever else is there. Raises DataFolderUnusable."""
    try:
        if path.exists() and not stat.S_ISFIFO(path.stat().st_mode):
            path.unlink()
        if not path.exists():
            os.mkfifo(path, 0o600)
    except OSError as e:
        raise DataFolderUnusable(f"{path}: {e.strerror or e}", hint="choose a local --data-dir") from e


@contextmanager
def only_runner(lock: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it when this process dies. Raises HostAlreadyRuns."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as e:
        raise DataFolderUnusable(f"{lock}: {e.strerror or e}", hint="choose another with --data-dir") from e
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise HostAlreadyRuns(
                f"a host runs on {lock.parent} already" + (f" (pid {holder})" if holder else ""),
                hint="stop it first, or choose another --data-dir",
            ) from e
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
