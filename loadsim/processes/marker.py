"""The mark that every simulated process carries in its environment, and the search for those that carry it.

A process belongs to a run if /proc/<pid>/environ holds PHOENIX_LOADSIM=<run id>; only such a process is ever killed by
a search. Linux only; processes of other users are unreadable and therefore never found.
"""

from __future__ import annotations

import os
import re

VARIABLE = "PHOENIX_LOADSIM"
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def marked(prefix: str) -> dict[int, str]:
    """pid -> run id of every live process but this one whose run id starts with `prefix`; zombies have none."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            run_id = _run_id(int(entry))
            if run_id is not None and run_id.startswith(prefix):
                found[int(entry)] = run_id
    return found


def _run_id(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = file.read()
    except OSError:  # ended meanwhile, or another user's
        return None
    for entry in environ.split(b"\0"):
        if entry.startswith(VARIABLE.encode() + b"="):
            return entry.split(b"=", 1)[1].decode(errors="replace")
    return None
