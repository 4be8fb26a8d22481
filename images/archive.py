"""Writing a docker archive (`docker load`, `ctr images import`) by hand: layers of sorted files without times or
owners, so that the same content gives the same bytes. Standard library alone: scripts of the test cluster run it too.

    python3 -m images.archive REF ROOT OUT ENTRYPOINT...

Not here: what is in an image. Format: the image specification of Docker 1.2 (manifest.json, config, layers as tar).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_EPOCH = "1970-01-01T00:00:00Z"
_CHUNK = 1 << 20
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """What an archive holds. layers: folders, each the root of one layer, lowest first. user: as in `docker run -u`."""

    ref: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def write(image: Image, out: Path) -> None:
    """Write the archive; it appears under its name only when whole. Raises OSError."""
    part = out.with_name(f".{out.name}.{os.getpid()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            names, digests = [], []
            for number, root in enumerate(image.layers):
                name = f"layer-{number}.tar"
                names.append(name)
                digests.append(_add_layer(archive, name, root, out.parent))
            _add(archive, "config.json", json.dumps(_config(image, digests), sort_keys=True).encode())
            manifest = [{"Config": "config.json", "RepoTags": [image.ref], "Layers": names}]
            _add(archive, "manifest.json", json.dumps(manifest).encode())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _config(image: Image, digests: list[str]) -> dict[str, object]:
    machine = platform.machine()
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **image.env}
    return {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": _EPOCH,
        "config": {
            "Env": [f"{name}={value}" for name, value in env.items()],
            "Entrypoint": list(image.entrypoint),
            "User": image.user,
            "WorkingDir": image.workdir or "/",
            "Labels": image.labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created": _EPOCH} for _ in digests],
    }


def _add_layer(archive: tarfile.TarFile, name: str, root: Path, near: Path) -> str:
    """Add one layer; its SHA-256. It goes by a file beside the archive, since a tar says sizes first."""
    part = near / f".{name}.{os.getpid()}"
    try:
        with part.open("wb+") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as layer:
                for path in _walk(root):
                    _add_path(layer, path, path.relative_to(root).as_posix())
            size = file.tell()
            file.seek(0)
            digest = _digest(file)
            file.seek(0)
            archive.addfile(_info(name, size), file)
        return digest
    finally:
        part.unlink(missing_ok=True)


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *links, *(one for one in folders if one not in links)]):
            yield here / name


def _add_path(layer: tarfile.TarFile, path: Path, name: str) -> None:
    info = layer.gettarinfo(path, name)
    if info.islnk():  # two names of one file, by an accident of the disk: each is a file of its own here
        info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.stat().st_size
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    if info.isreg():
        info.mode = 0o755 if info.mode & 0o100 else 0o644
        with path.open("rb") as file:
            layer.addfile(info, file)
    else:
        info.mode = info.mode if info.mode & 0o1000 else 0o755
        layer.addfile(info)


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_info(name, len(content)), io.BytesIO(content))


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def main(arguments: list[str]) -> int:
    """The image of one folder. 2 when it is called wrongly."""
    if len(arguments) < 4:
        print("usage: python3 -m images.archive REF ROOT OUT ENTRYPOINT...", file=sys.stderr)
        return 2
    ref, root, out, *entrypoint = arguments
    write(Image(ref, (Path(root),), tuple(entrypoint)), Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
