"""Facts about this machine and the versions that run on it, read once at the start of a host runtime."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from phoenix_cli.binaries.commands import CommandFailed, run_command

VERSION_SECONDS = 20.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class HostFacts:
    """cpu_count: logical cores; memory_bytes: of the machine; boot_id: changes with each boot. "" and 0: not known."""

    agent_version: str
    collector_version: str
    cpu_count: int
    memory_bytes: int
    boot_id: str


def host_facts(collector: Path) -> HostFacts:
    """Read them. Never raises: a version that cannot be told is ""."""
    return HostFacts(
        agent_version=_agent_version(),
        collector_version=_collector_version(collector),
        cpu_count=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        boot_id=_boot_id(),
    )


def _agent_version() -> str:
    try:
        return metadata.version("phoenix-telemetry")
    except metadata.PackageNotFoundError:
        return ""


def _collector_version(collector: Path) -> str:
    try:
        text = run_command([str(collector), "--version"], seconds=VERSION_SECONDS)
    except CommandFailed:
        return ""
    match = re.search(r"version\s+v?(\S{1,64})", text)
    return match[1] if match else ""


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return f"boot-{psutil.boot_time():.0f}"
