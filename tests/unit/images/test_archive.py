"""Archives by hand: the same bytes from the same content, and what a container engine reads out of them."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

from images.archive import Image, main, write


def folder(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_text("#!/bin/sh\n")
    (root / "bin" / "tool").chmod(0o700)
    (root / "bin" / "alias").symlink_to("tool")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "text").write_text("words")
    return root


def image(root: Path) -> Image:
    return Image("phoenix/some:1", (root,), ("/bin/tool", "-x"), "65534:65534", "/bin", {"A": "b"})


def test_the_same_content_gives_the_same_bytes_whoever_owns_it_and_whenever_it_was_written(tmp_path: Path) -> None:
    one, two = folder(tmp_path / "one"), folder(tmp_path / "two")
    os.utime(two / "text", (1, 1))
    (two / "text").chmod(0o600)
    write(image(one), tmp_path / "one.tar")
    write(image(two), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "one.tar", "two", "two.tar"]


def test_an_engine_finds_name_configuration_and_layers_by_their_digests(tmp_path: Path) -> None:
    write(image(folder(tmp_path / "root")), tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as archive:
        read = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    (manifest,) = json.loads(read["manifest.json"])
    assert manifest["RepoTags"] == ["phoenix/some:1"]
    config = json.loads(read[manifest["Config"]])
    assert config["config"]["Entrypoint"] == ["/bin/tool", "-x"]
    assert config["config"]["User"] == "65534:65534"
    assert config["config"]["Env"][-1] == "A=b"
    digests = [f"sha256:{hashlib.sha256(read[layer]).hexdigest()}" for layer in manifest["Layers"]]
    assert config["rootfs"]["diff_ids"] == digests


def test_every_user_may_read_what_is_inside_and_run_what_can_be_run(tmp_path: Path) -> None:
    write(image(folder(tmp_path / "root")), tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as archive:
        layer = archive.extractfile("layer-0.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer) as inside:
            modes = {member.name: member.mode for member in inside if not member.issym()}
            owners = {(member.uid, member.gid, member.uname, member.mtime) for member in inside}
    assert modes == {"bin": 0o755, "bin/tool": 0o755, "text": 0o644, "tmp": 0o1777}
    assert owners == {(0, 0, "", 0)}


def test_called_wrongly_it_says_how(capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["phoenix/some:1"]) == 2
    assert "usage" in capsys.readouterr().err
