"""Whether this host has room for a population: processes and memory, by the kernel's own limits. Reads, never changes.

Sources: proc_meminfo(5); cgroups(7): v2 (memory.max, memory.current, pids.max, pids.current) and v1, where a pod has it
(memory.limit_in_bytes, memory.usage_in_bytes); getrlimit(2), RLIMIT_NPROC is left to fork, as it does not bind root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROCESS_BYTES = 700 * 1024
"""What a simulated process costs of its own beside what it allocates: measured, see the guide."""
USABLE = 0.9
"""The part of what is free that a load may ask for."""


@dataclass(frozen=True)
class Room:
    """What is free here; None where the kernel sets no limit or does not say."""

    memory: int | None
    """Bytes."""
    processes: int | None


def refusal(count: int, memory: int, room: Room) -> str:
    """Why a population of `count` processes that allocate `memory` bytes has no room; empty when it has.

    A host that is driven out of memory or pids loses real processes; the load is refused before it starts.
    """
    if room.processes is not None and count > USABLE * room.processes:
        return f"{count} processes asked; the host's limit leaves {room.processes}: lower count"
    needed = memory + count * PROCESS_BYTES
    if room.memory is not None and needed > USABLE * room.memory:
        return (
            f"about {needed / 1024**2:.0f} MiB asked ({count} processes); {room.memory / 1024**2:.0f} MiB are free "
            "on this host: lower count or memory"
        )
    return ""


def room(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> Room:
    """What is free for this process now."""
    memory: list[int | None] = [_available(proc / "meminfo")]
    processes: list[int | None] = []
    own = _text(proc / "self" / "cgroup").splitlines()
    for folder in _groups(own, "memory", cgroups):
        memory += [_left(folder, "memory.max", "memory.current")]
        memory += [_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes")]
    for folder in _groups(own, "pids", cgroups):
        processes += [_left(folder, "pids.max", "pids.current")]
    return Room(_least(memory), _least(processes))


def _least(values: list[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _available(meminfo: Path) -> int | None:
    for line in _text(meminfo).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _groups(own: Sequence[str], controller: str, root: Path) -> list[Path]:
    """The control groups that bind this process: its own and those above it. own: lines of /proc/self/cgroup. In a pod
    with v1 the path is the node's, and what is mounted is the pod's own group."""
    folders = []
    for line in own:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers not in ("", controller) or not path.startswith("/"):
            continue
        top = root / controllers
        folder = top / path[1:]
        folder = folder if folder.is_dir() else top
        folders += [folder, *(parent for parent in folder.parents if parent == top or top in parent.parents)]
    return folders


def _left(folder: Path, most: str, current: str) -> int | None:
    limit, used = _text(folder / most).strip(), _text(folder / current).strip()
    return max(0, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
