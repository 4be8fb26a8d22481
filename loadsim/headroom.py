"""Whether this host has room for a population: processes and memory, by the kernel's own limits. Reads, never changes.

Sources: proc_meminfo(5); cgroup v2 (memory.max, memory.current, pids.max, pids.current); getrlimit(2), RLIMIT_NPROC is
left to fork, as it does not bind root.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROCESS_BYTES = 950 * 1024
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
    for folder in _groups(proc / "self" / "cgroup", cgroups):
        memory.append(_left(folder, "memory"))
        processes.append(_left(folder, "pids"))
    return Room(_least(memory), _least(processes))


def _least(values: list[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _available(meminfo: Path) -> int | None:
    for line in _text(meminfo).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _groups(own: Path, root: Path) -> list[Path]:
    """The control groups (v2) that bind this process: its own and those above it."""
    for line in _text(own).splitlines():
        if line.startswith("0::/"):
            folder = root / line[4:]
            return [folder, *(parent for parent in folder.parents if parent == root or root in parent.parents)]
    return []


def _left(folder: Path, what: str) -> int | None:
    limit, used = _text(folder / f"{what}.max").strip(), _text(folder / f"{what}.current").strip()
    return max(0, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
