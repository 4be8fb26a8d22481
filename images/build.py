"""Making an image's archive, or taking the one of the same content from the cache. Not here: what is in it."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from images.archive import Image, write
from images.contents import KINDS, Content
from phoenix_cli.binaries.build import cache_folder
from phoenix_cli.binaries.progress import Progress, Report
from phoenix_cli.binaries.resolve import resolve_collector

USER = "65534:65534"
_KEPT = 4
"""Archives of one image that the cache keeps; older ones go."""


def built(kind: str, env: Mapping[str, str], report: Report) -> tuple[str, Path]:
    """Reference and archive of an image ("collector" or "operator"). report: told when something is made.

    Raises OSError, CalledProcessError, CollectorMissing, PackageMissing, LibraryMissing."""
    began = time.monotonic()
    otelcol = resolve_collector(env, report)
    content = KINDS[kind](otelcol)
    folder = cache_folder(env) / "images"
    archive = folder / f"{kind}-{_digest(content)[:16]}.tar"
    if not archive.exists():
        report(Progress("images", f"making {content.ref}", time.monotonic() - began))
        make(content, archive)
        _forget(folder, kind)
    archive.touch()
    return content.ref, archive


def make(content: Content, archive: Path) -> None:
    """Write the archive of an image. Raises OSError, CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="phoenix-image-") as work:
        roots = tuple(layer.lay(Path(work) / str(number)) for number, layer in enumerate(content.layers))
        image = Image(content.ref, roots, content.entrypoint, USER, content.workdir, dict(content.env))
        write(image, archive)


def _digest(content: Content) -> str:
    about = f"{content.ref}\n{content.entrypoint}\n{sorted(content.env.items())}\n{content.workdir}\n"
    return hashlib.sha256(about.encode() + b"".join(layer.digest().encode() for layer in content.layers)).hexdigest()


def _forget(folder: Path, kind: str) -> None:
    newest = sorted(folder.glob(f"{kind}-*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest[_KEPT:]:
        old.unlink(missing_ok=True)
