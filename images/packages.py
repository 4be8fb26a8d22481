"""The packages of requirements-operators.txt as files of an image: taken from the environment they are installed in,
with all that they require, and refused when a version is another than the one asked for. Nothing is downloaded.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

SITE = "/opt/phoenix/packages"


class PackageMissing(Exception):
    """What is asked for is not installed, or in another version."""


def installed(requirements: Path) -> dict[str, Path]:
    """Where each file of them goes. Raises PackageMissing, with the remedy."""
    found: dict[str, Distribution] = {}
    for line in requirements.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            _gather(Requirement(text), found, requirements)
    files: dict[str, Path] = {}
    for one in found.values():
        for path in one.files or ():
            name = path.as_posix()
            if not name.startswith("../") and "__pycache__" not in name and not _only_here(path.name):
                files[f"{SITE}/{name}"] = Path(str(one.locate_file(path)))
    return files


def _only_here(name: str) -> bool:
    """Records of this installation, which differ from machine to machine and say nothing about the package."""
    return name in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def _gather(wanted: Requirement, found: dict[str, Distribution], asked_in: Path) -> None:
    key = wanted.name.lower().replace("_", "-")
    if key in found:
        return
    remedy = f"run: .venv/bin/python -m pip install -r {asked_in.name}"
    try:
        one = distribution(wanted.name)
    except PackageNotFoundError as e:
        raise PackageMissing(f"{wanted} is not installed; {remedy}") from e
    if not wanted.specifier.contains(one.version, prereleases=True):
        raise PackageMissing(f"{wanted} is asked for and {one.version} is installed; {remedy}")
    found[key] = one
    for text in one.requires or ():
        required = Requirement(text)
        if required.marker is None or required.marker.evaluate({"extra": ""}):
            _gather(required, found, asked_in)
