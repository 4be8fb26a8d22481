"""Which collector and which supervisor this machine uses: named by the user, found on PATH, or built once.

The same order for both, and one error that tells about all three ways. Not here: the build itself (build.py) and what
makes a collector fit (components.py). The environment is an argument; nothing is read at import.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from phoenix_cli.binaries.build import COLLECTOR, SOURCE, SUPERVISOR, Recipe, build, cached_path
from phoenix_cli.binaries.commands import CommandFailed, run_command
from phoenix_cli.binaries.components import why_no_supervisor, why_unfit
from phoenix_cli.binaries.errors import BinaryMissing, BuildFailed, CollectorMissing, SupervisorMissing
from phoenix_cli.binaries.progress import Report

GO_SECONDS = 180.0


@dataclass(frozen=True)
class Wanted:
    """One binary to find: the variable that names it, its names on PATH, the check it must pass, how it is built."""

    what: str
    variable: str
    names: tuple[str, ...]
    why_unfit: Callable[[Path], str]
    recipe: Recipe
    missing: type[BinaryMissing]


WANTED_COLLECTOR = Wanted(
    "collector", "PHOENIX_OTELCOL", ("otelcol-contrib", "otelcol"), why_unfit, COLLECTOR, CollectorMissing
)
WANTED_SUPERVISOR = Wanted(
    "supervisor",
    "PHOENIX_OPAMPSUPERVISOR",
    ("opampsupervisor",),
    why_no_supervisor,
    SUPERVISOR,
    SupervisorMissing,
)


def resolve_collector(env: Mapping[str, str], report: Report, *, source: Path = SOURCE) -> Path:
    """An executable collector that has every component the catalog needs. May build one, which takes minutes.

    `env` is the process environment, `report` gets the progress of a build, `source` is the folder with the locks.
    Raises CollectorMissing.
    """
    return _resolve(WANTED_COLLECTOR, env, report, source)


def resolve_supervisor(env: Mapping[str, str], report: Report, *, source: Path = SOURCE) -> Path:
    """An executable OpAMP supervisor; the arguments are those of resolve_collector. Raises SupervisorMissing."""
    return _resolve(WANTED_SUPERVISOR, env, report, source)


def _resolve(wanted: Wanted, env: Mapping[str, str], report: Report, source: Path) -> Path:
    named = env.get(wanted.variable)
    if named:
        return _named(wanted, Path(named))
    found, why_not_path = _on_path(wanted, env)
    if found:
        return found
    try:
        return _built(wanted, env, report, source)
    except BuildFailed as e:
        raise _missing(wanted, why_not_path, e) from e


def _named(wanted: Wanted, path: Path) -> Path:
    """What the user named is used or refused, never replaced: silently taking another would hide a mistake."""
    if not path.is_file():
        why = "there is no such file"
    elif not os.access(path, os.X_OK):
        why = "it is not executable"
    else:
        why = wanted.why_unfit(path)
    if why:
        raise wanted.missing(
            f"{wanted.variable}={path}: {why}",
            hint=f"name a fit {wanted.what} in {wanted.variable}, or unset it to search PATH and then build one",
        )
    return path.resolve()


def _on_path(wanted: Wanted, env: Mapping[str, str]) -> tuple[Path | None, str]:
    reasons = []
    for name in wanted.names:
        found = shutil.which(name, path=env.get("PATH", os.defpath))
        why = wanted.why_unfit(Path(found)) if found else "not there"
        if found and not why:
            return Path(found).resolve(), ""
        reasons.append(f"{found or name}: {why}")
    return None, "; ".join(reasons)


def _built(wanted: Wanted, env: Mapping[str, str], report: Report, source: Path) -> Path:
    try:
        cached = cached_path(wanted.recipe, env, source)
    except OSError as e:
        raise BuildFailed(
            f"the lock files are missing ({source / wanted.recipe.folder})", hint="run from a clone of the repository"
        ) from e
    if not os.access(cached, os.X_OK):
        _check_go(source / wanted.recipe.folder, env)
    binary = build(wanted.recipe, env, report, source=source)
    why = wanted.why_unfit(binary)
    if why:
        raise BuildFailed(f"{binary}: {why}", hint=f"remove {binary.parent} and try again")
    return binary


def _check_go(folder: Path, env: Mapping[str, str]) -> None:
    """Asked inside the module, an older Go fetches the toolchain that go.mod wants, or says which one it wants."""
    needed = next(line.split()[1] for line in (folder / "go.mod").read_text().splitlines() if line.startswith("go "))
    go = shutil.which("go", path=env.get("PATH", os.defpath))
    hint = f"install Go {needed} or newer (https://go.dev/dl/) and put it on PATH"
    if not go:
        raise BuildFailed("Go is not on PATH", hint=hint)
    try:
        run_command([go, "version"], seconds=GO_SECONDS, cwd=folder, env=env)
    except CommandFailed as e:
        raise BuildFailed(f"Go {needed} or newer is needed: {e}", hint=hint) from e


def _missing(wanted: Wanted, why_not_path: str, build_error: BuildFailed) -> BinaryMissing:
    return wanted.missing(
        f"no usable {wanted.what}.\n"
        f"  1. {wanted.variable} is not set\n"
        f"  2. on PATH: {why_not_path}\n"
        f"  3. building it: {build_error.detail}",
        hint=f"1. set {wanted.variable} to a fit binary; or 2. put {wanted.names[0]} on PATH; or 3. {build_error.hint}",
    )
