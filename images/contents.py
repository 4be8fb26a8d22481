"""What is in each image: `phoenix/collector` holds the stock collector alone, `phoenix/operator` the operators, the
load generator, the catalog, and a collector to validate configurations with.

Both run as user 65534 on a read-only root; what they write goes to mounted folders.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import certifi

from images.interpreter import EXECUTABLE, interpreter
from images.layer import Layer, Link, tree
from images.packages import SITE, installed

ROOT = Path(__file__).resolve().parents[1]
APP = "/opt/phoenix/app"
OTELCOL = "/usr/local/bin/otelcol"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_NOBODY = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"
_OURS = ("operators", "loadsim", "chalicelib", "catalog")


@dataclass(frozen=True)
class Content:
    """An image before it is one."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"

    @property
    def ref(self) -> str:
        """Its name and tag: the version of this project."""
        return f"{self.name}:{version()}"


def version() -> str:
    """Of this project."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _ground() -> Layer:
    files: dict[str, Path | str | Link | None] = {
        "/tmp": None,  # noqa: S108 - a folder of the image
        "/etc/passwd": _NOBODY,
        "/etc/group": "root:x:0:\nnobody:x:65534:\n",
        _CERTIFICATES: Path(certifi.where()),
    }
    return Layer(files)


def collector(otelcol: Path) -> Content:
    """The collector alone. otelcol: its binary."""
    env = {"SSL_CERT_FILE": _CERTIFICATES}
    return Content("phoenix/collector", (_ground(), Layer({OTELCOL: otelcol})), (OTELCOL,), env)


def operator(otelcol: Path) -> Content:
    """`python -m operators`; `python -m loadsim job` when the container's command says so."""
    packages = installed(ROOT / "requirements-operators.txt")
    objects = [path for path in packages.values() if ".so" in path.name]
    python = interpreter(objects)
    env = {
        "PYTHONPATH": f"{APP}:{SITE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PHOENIX_OTELCOL": OTELCOL,
        "SSL_CERT_FILE": _CERTIFICATES,
    }
    code: dict[str, Path | str | Link | None] = {}
    for folder in _OURS:
        code.update(tree(ROOT / folder, f"{APP}/{folder}"))
    layers = (
        _ground(),
        python,
        Layer(packages, (SITE,), python.python),
        Layer({OTELCOL: otelcol}),
        Layer(code, tuple(f"{APP}/{folder}" for folder in _OURS), python.python),
    )
    return Content("phoenix/operator", layers, (EXECUTABLE, "-m", "operators"), env, APP)


KINDS: Mapping[str, Callable[[Path], Content]] = {"collector": collector, "operator": operator}
