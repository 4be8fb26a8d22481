"""A layer as a value: which file goes where, and what its content comes to. Not here: what is in an image (`operator`,
`collector`), nor the archive's format (`archive`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LEFT_OUT = {"__pycache__", ".mypy_cache"}


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Layer:
    """files: absolute path in the image to what is there: a file of this machine, text, a link, or None for an empty
    folder. compiled: folders of it whose modules are compiled, by this `python`."""

    files: Mapping[str, Path | str | Link | None]
    compiled: tuple[str, ...] = ()
    python: Path | None = None

    def digest(self) -> str:
        """SHA-256 (hex) of all paths and contents. Raises OSError."""
        digest = hashlib.sha256(f"{self.compiled}\n".encode())
        for path in sorted(self.files):
            content = self.files[path]
            digest.update(f"{path}\0{type(content).__name__}\0".encode())
            if isinstance(content, Path):
                digest.update(hashlib.sha256(content.read_bytes()).digest())
                digest.update(b"x" if os.access(content, os.X_OK) else b"-")
            else:
                digest.update(str(content).encode())
        return digest.hexdigest()

    def lay(self, root: Path) -> Path:
        """Put it below a folder, which it returns. Raises OSError, CalledProcessError when something cannot compile."""
        for path, content in self.files.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                target.mkdir(exist_ok=True)
                target.chmod(0o1777 if path.endswith("tmp") else 0o755)
            elif isinstance(content, Link):
                target.symlink_to(content.target)
            elif isinstance(content, str):
                target.write_text(content, "utf-8")
            else:
                shutil.copy(content, target)
        if self.python and self.compiled:
            # Not by time: files in an image have none. -s and -p: tracebacks name paths of the image.
            words = ("-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
            folders = [str(root / folder.lstrip("/")) for folder in self.compiled]
            command = [str(self.python), *words, "-s", str(root), "-p", "/", *folders]
            subprocess.run(command, check=True, env={"PYTHONHASHSEED": "0"})
        return root


def tree(folder: Path, target: str, leave_out: Iterable[str] = ()) -> Iterator[tuple[str, Path]]:
    """Every file below a folder, with where it goes; without caches and without the folders of these names."""
    names = _LEFT_OUT | set(leave_out)
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in names)
        for name in sorted(files):
            path = Path(here) / name
            yield f"{target}/{path.relative_to(folder).as_posix()}", path
