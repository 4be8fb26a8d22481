"""Building collector and supervisor once from the locks in `collector/` into the user's cache folder.

A build happens in a temporary folder beside its goal and appears there by one rename: interrupted, killed or out of
disk, it leaves nothing half-made. Not here: whether a build is needed at all (resolve.py).
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from phoenix_cli.binaries.build_step import StepFailed, run_step
from phoenix_cli.binaries.errors import BuildFailed
from phoenix_cli.binaries.locking import LockTimeout, exclusive
from phoenix_cli.binaries.progress import Progress, Report

SOURCE = Path(__file__).resolve().parents[2] / "collector"
BUILD_SECONDS = 1800.0
SUPERVISOR_PACKAGE = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor"
BUILDER_PACKAGE = "go.opentelemetry.io/collector/cmd/builder"
UNFINISHED = ".building-"
COMPILE = ("go", "build", "-v", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o")


@dataclass(frozen=True)
class Step:
    """One command of a recipe. `{work}` in it stands for the temporary folder."""

    text: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How one binary is made: the lock files (which also name the cached result), then the steps in order."""

    what: str
    folder: str
    output: str
    locks: tuple[str, ...]

    def steps(self, work: Path) -> tuple[Step, ...]:
        """The commands; they run in `work`, which holds copies of the lock files and is GOBIN too."""
        compiling = f"compiling the {self.what} (minutes when nothing is cached)"
        if self.what == "supervisor":
            return (Step(compiling, (*COMPILE, str(work / self.output), SUPERVISOR_PACKAGE)),)
        version = yaml.safe_load((work / "manifest.yaml").read_text())["dist"]["version"]
        return (
            Step("fetching the builder", ("go", "install", "-v", f"{BUILDER_PACKAGE}@v{version}")),
            Step(
                "generating the main package",
                (str(work / "builder"), "--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation"),
            ),
            # The sources must lie beside the committed go.mod; `go mod tidy` would want test-only modules.
            Step("placing the main package", ("sh", "-c", "cp _build/*.go .")),
            Step(compiling, (*COMPILE, str(work / self.output), ".")),
        )


COLLECTOR = Recipe("collector", "otelcol", "otelcol", ("manifest.yaml", "go.mod", "go.sum"))
SUPERVISOR = Recipe("supervisor", "supervisor", "opampsupervisor", ("go.mod", "go.sum"))


def cache_folder(env: Mapping[str, str]) -> Path:
    """PHOENIX_CACHE, else phoenix under XDG_CACHE_HOME, else ~/.cache/phoenix."""
    if env.get("PHOENIX_CACHE"):
        return Path(env["PHOENIX_CACHE"])
    home = Path(env.get("HOME") or Path.home())
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "phoenix"


def cached_path(recipe: Recipe, env: Mapping[str, str], source: Path = SOURCE) -> Path:
    """Where the binary of these very locks, for this platform, is or will be. Raises OSError without lock files."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
    for name in recipe.locks:
        digest.update(f"{name}\n".encode() + (source / recipe.folder / name).read_bytes())
    return cache_folder(env) / "bin" / digest.hexdigest() / recipe.output


def build(
    recipe: Recipe, env: Mapping[str, str], report: Report, *, source: Path = SOURCE, seconds: float = BUILD_SECONDS
) -> Path:
    """The cached binary, built when it is not there yet; waits for another process that is building it.

    Raises BuildFailed: the deadline passed, a step failed (with the end of its output), the disk is full, the cache
    folder cannot be written.
    """
    goal = cached_path(recipe, env, source)
    if os.access(goal, os.X_OK):
        return goal
    start = time.monotonic()
    try:
        goal.parent.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(goal.parent.with_suffix(".lock"), seconds=seconds, waiting=_waiting(recipe, report)):
            if not os.access(goal, os.X_OK):
                _make(recipe, goal, env, report, source, start, start + seconds)
    except LockTimeout as e:
        raise BuildFailed(f"{recipe.what}: {e}", hint="wait for the other build, or end it, and try again") from e
    except OSError as e:
        raise _disk_error(recipe, goal, e) from e
    return goal


def _waiting(recipe: Recipe, report: Report) -> Callable[[float], None]:
    return lambda elapsed: report(Progress(recipe.what, "waiting for another process that builds it", elapsed))


def _make(
    recipe: Recipe, goal: Path, env: Mapping[str, str], report: Report, source: Path, start: float, deadline: float
) -> None:
    with _work_folder(goal) as work:
        for name in recipe.locks:
            shutil.copyfile(source / recipe.folder / name, work / name)
        steps = recipe.steps(work)
        for number, step in enumerate(steps, 1):
            text = f"step {number} of {len(steps)}, {step.text}"

            def tick(detail: str, text: str = text) -> None:
                report(Progress(recipe.what, text, time.monotonic() - start, detail))

            try:
                run_step(step.command, cwd=work, env=_go_environment(env, work), deadline=deadline, tick=tick)
            except StepFailed as e:
                raise _step_error(recipe, step, goal, e) from e
        _publish(work / recipe.output, goal)
    report(Progress(recipe.what, f"built, kept at {goal}", time.monotonic() - start))


def _go_environment(env: Mapping[str, str], work: Path) -> dict[str, str]:
    """The user's own environment (GOCACHE, GOMODCACHE, GOPROXY …); only what makes the result private is set."""
    return {**env, "GOBIN": str(work), "GOWORK": "off", "CGO_ENABLED": "0"}


@contextmanager
def _work_folder(goal: Path) -> Iterator[Path]:
    """A fresh folder, gone afterwards. The lock is held, so folders of the same goal are remains of killed builds."""
    prefix = UNFINISHED + goal.parent.name[:16] + "-"
    for remains in goal.parent.parent.glob(prefix + "*"):
        shutil.rmtree(remains, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=goal.parent.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _publish(binary: Path, goal: Path) -> None:
    with binary.open("rb") as file:
        os.fsync(file.fileno())
    binary.chmod(0o755)
    goal.parent.mkdir(exist_ok=True)
    binary.replace(goal)


def _step_error(recipe: Recipe, step: Step, goal: Path, failure: StepFailed) -> BuildFailed:
    text = str(failure)
    if "no space left on device" in text.lower():
        return BuildFailed(f"{recipe.what}: the disk is full while {step.text}: {text}", hint=_space_hint(goal))
    return BuildFailed(
        f"{recipe.what}: {step.text} failed: {text}",
        hint="a build needs the Go module proxy (GOPROXY) or filled caches; see docs/guides/collector-binary.md",
    )


def _disk_error(recipe: Recipe, goal: Path, e: OSError) -> BuildFailed:
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        return BuildFailed(f"{recipe.what}: the disk is full ({goal.parent.parent})", hint=_space_hint(goal))
    return BuildFailed(
        f"{recipe.what}: {e.filename or goal.parent.parent}: {e.strerror or e}",
        hint="set PHOENIX_CACHE to a folder that you can write",
    )


def _space_hint(goal: Path) -> str:
    return (
        f"a cold build takes about 3 GB of Go caches and 70 MB in {goal.parent.parent}: "
        "free some, or set PHOENIX_CACHE, GOCACHE and GOMODCACHE"
    )
