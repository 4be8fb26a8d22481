"""Layers as values, the packages that go in, and the libraries that an interpreter needs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from images.interpreter import libraries
from images.layer import Layer, Link, tree
from images.packages import SITE, PackageMissing, installed


def test_a_layer_is_known_by_paths_contents_and_whether_they_can_be_run(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    before = Layer({"/x": file}).digest()
    assert Layer({"/x": file}).digest() == before
    assert Layer({"/y": file}).digest() != before
    file.chmod(0o755)
    runnable = Layer({"/x": file}).digest()
    assert runnable != before
    file.write_text("b")
    assert Layer({"/x": file}).digest() not in {before, runnable}
    assert Layer({"/x": Link("a")}).digest() != Layer({"/x": "a"}).digest()


def test_a_layer_lies_below_its_root_with_modules_compiled_for_their_place_in_the_image(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def where():\n    return where.__code__.co_filename\n")
    layer = Layer({"/opt/m.py": module, "/opt/n": Link("m.py"), "/tmp": None}, ("/opt",), Path(sys.executable))  # noqa: S108
    root = layer.lay(tmp_path / "root")
    assert (root / "opt" / "n").readlink() == Path("m.py")
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777
    (compiled,) = (root / "opt" / "__pycache__").iterdir()
    asked = [sys.executable, "-c", f"import runpy; print(runpy.run_path({str(compiled)!r})['where']())"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "/opt/m.py"


def test_a_tree_leaves_caches_and_named_folders_out(tmp_path: Path) -> None:
    for name in ("a/__pycache__/x.pyc", "a/tests/t.py", "a/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert dict(tree(tmp_path / "a", "/app", ["tests"])) == {"/app/b.py": tmp_path / "a" / "b.py"}


def test_packages_come_with_all_they_require_and_without_records_of_this_machine(tmp_path: Path) -> None:
    asked = tmp_path / "requirements.txt"
    asked.write_text(f"# some\npydantic=={version('pydantic')}\n")
    files = installed(asked)
    assert f"{SITE}/pydantic/__init__.py" in files
    assert f"{SITE}/typing_extensions.py" in files
    assert any("_pydantic_core" in path for path in files)
    assert not any(path.endswith(("RECORD", "INSTALLER", ".pyc")) for path in files)
    assert not any("pytest" in path for path in files)


@pytest.mark.parametrize(
    ("line", "said"), [("pydantic==0.0.1", "is installed; run"), ("no-such-thing==1", "is not installed; run")]
)
def test_another_version_than_asked_for_is_refused_with_the_remedy(tmp_path: Path, line: str, said: str) -> None:
    asked = tmp_path / "requirements.txt"
    asked.write_text(line)
    with pytest.raises(PackageMissing, match=said):
        installed(asked)


def test_the_libraries_of_the_interpreter_go_where_its_linker_looks() -> None:
    found = libraries([Path(sys.executable).resolve()])
    assert any(path.startswith("/lib/libc.so") for path in found)
    assert any("/ld-" in path for path in found), "the linker itself, under the path the interpreter names"
    assert all(source.is_file() for source in found.values())
