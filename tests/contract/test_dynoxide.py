"""How the tests find dynoxide: the order, the pinned version, and what a person is told when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engines import dynoxide
from tests.engines.dynoxide import INSTALL, DynoxideMissing, resolve


def binary(path: Path, says: str = "dynoxide 1.5.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_order_is_variable_then_tools_folder_then_path(tmp_path: Path) -> None:
    named = binary(tmp_path / "named")
    local = binary(tmp_path / "root" / ".tools" / "bin" / "dynoxide")
    on_path = binary(tmp_path / "bin" / "dynoxide")
    environ = {"PHOENIX_DYNOXIDE": str(named), "PATH": str(on_path.parent)}
    assert resolve(environ, tmp_path / "root") == named
    del environ["PHOENIX_DYNOXIDE"]
    assert resolve(environ, tmp_path / "root") == local
    local.unlink()
    assert resolve(environ, tmp_path / "root") == on_path


@pytest.mark.parametrize("says", ["dynoxide 1.5.1", "dynoxide 1.2.1", "", "DynamoDB Local 3.3.1"])
def test_another_version_is_refused_with_the_install_line_and_never_passed_over(tmp_path: Path, says: str) -> None:
    wrong = binary(tmp_path / "wrong", says)
    right = binary(tmp_path / "bin" / "dynoxide")
    with pytest.raises(DynoxideMissing) as caught:
        resolve({"PHOENIX_DYNOXIDE": str(wrong), "PATH": str(right.parent)}, tmp_path)
    assert INSTALL in str(caught.value)
    assert str(wrong) in str(caught.value)


def test_what_is_missing_is_named_with_the_install_line(tmp_path: Path) -> None:
    for environ in ({"PATH": str(tmp_path)}, {"PATH": str(tmp_path), "PHOENIX_DYNOXIDE": str(tmp_path / "none")}):
        with pytest.raises(DynoxideMissing) as caught:
            resolve(environ, tmp_path)
        assert INSTALL in str(caught.value)


def test_a_server_that_cannot_start_gives_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(DynoxideMissing, match="did not answer"):
        dynoxide.start(dynoxide.resolve(os.environ), tmp_path / "no" / "such" / "folder" / "db")


def test_a_server_is_gone_after_the_block() -> None:
    with dynoxide.running(dynoxide.resolve(os.environ)) as server:
        assert server.process.poll() is None
    assert server.process.poll() == 0
