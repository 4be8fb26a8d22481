"""The Python that runs this, as files of an image: interpreter, standard library, and every shared library that they,
or the packages beside them, are linked with. Not here: the packages and our own code (`operator`).
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from images.layer import Layer, Link, tree

STDLIB = f"/usr/local/lib/python{sys.version_info.major}.{sys.version_info.minor}"
EXECUTABLE = "/usr/local/bin/python3"
_LEFT_OUT = (
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"),
    "pydoc_data",
    f"config-{sys.version_info.major}.{sys.version_info.minor}-x86_64-linux-gnu",
)
_LINE = re.compile(r"^\s+(?:(\S+) => )?(/\S+) \(0x", re.MULTILINE)
_LOST = re.compile(r"^\s+(\S+) => not found", re.MULTILINE)


class LibraryMissing(Exception):
    """A shared library that something is linked with is not on this machine."""


def interpreter(beside: Iterable[Path] = ()) -> Layer:
    """The layer. beside: shared objects of packages, whose libraries are needed too. Raises LibraryMissing."""
    binary = Path(sys.executable).resolve()
    # The standard library of the installation: in a virtual environment sysconfig names the environment's.
    stdlib = Path(sysconfig.__file__).parent
    files: dict[str, Path | str | Link | None] = dict(tree(stdlib, STDLIB, _LEFT_OUT))
    files[f"{EXECUTABLE}.real"] = binary
    files[EXECUTABLE] = Link("python3.real")
    files["/usr/local/bin/python"] = Link("python3.real")
    objects = [binary, *(path for path in files.values() if isinstance(path, Path) and ".so" in path.name), *beside]
    files.update(libraries(objects))
    return Layer(files, (STDLIB,), Path(sys.executable))


def libraries(objects: Iterable[Path]) -> dict[str, Path]:
    """Where each library goes: flat in /lib, where the dynamic linker looks without configuration, and the linker under
    the very path that the interpreter names."""
    said = subprocess.run(
        ["ldd", *map(str, objects)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    ).stdout
    if lost := sorted(set(_LOST.findall(said))):
        raise LibraryMissing(f"not on this machine: {', '.join(lost)}")
    found: dict[str, Path] = {}
    for name, path in _LINE.findall(said):
        found[f"/lib/{name}" if name and not name.startswith("/") else path] = Path(path).resolve()
    return found
