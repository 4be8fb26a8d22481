"""Which control plane holds a data folder: a lock that the kernel gives back when its process dies, and a card that
says where it serves. No control plane is imported here."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.domain.errors import Conflict, Unavailable

LOCK, CARD = "phoenix.lock", "instance.json"
ADMIN_TOKEN = "admin-token"
"""File in the data folder (0600) with the first admin token."""
DETACHED = "PHOENIX_DETACHED"
"""Set for a control plane whose error output is a log file."""
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Instance:
    """A running control plane. started_at: Unix seconds."""

    pid: int
    url: str
    store: str
    started_at: float


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the data folder. Raises Conflict when another control plane does, Unavailable when it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"the data folder {folder} cannot be used: {error.strerror}", hint="choose another with --data-dir"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        other = _card(folder)
        where = f" (process {other.pid} at {other.url})" if other else ""
        raise Conflict(
            f"a control plane already runs on {folder}{where}",
            hint="use it, stop it with phoenix down, or choose another --data-dir",
        ) from error
    try:
        (folder / CARD).unlink(missing_ok=True)  # left by a killed one; its process id may be another's by now
        yield
    finally:
        (folder / CARD).unlink(missing_ok=True)
        os.close(descriptor)


def announce(folder: Path, instance: Instance) -> None:
    """Write the card, once the control plane serves."""
    new = folder / f".{CARD}"
    new.write_text(json.dumps(asdict(instance)), "utf-8")
    os.replace(new, folder / CARD)


def running(folder: Path) -> Instance | None:
    """The control plane that holds the folder and serves, or None. A card left by a killed process is not believed."""
    found = _card(folder)
    return found if found and _locked(folder) else None


def stop(folder: Path) -> Instance | None:
    """End the control plane of the folder: SIGTERM, and SIGKILL after 15 s. None when nothing runs."""
    found = running(folder)
    if found is None:
        return None
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _locked(folder):
        if time.monotonic() >= deadline:
            os.kill(found.pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.05)
    return found


def _card(folder: Path) -> Instance | None:
    try:
        return Instance(**json.loads((folder / CARD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _locked(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
