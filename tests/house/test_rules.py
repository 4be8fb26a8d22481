"""The rules of the house that a linter does not know: roles, sizes, names, fakes instead of patches, quiet imports."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.api.furniture.route import Route
from chalicelib.bootstrap import Outside, build
from chalicelib.domain.access import Public, Role
from chalicelib.settings import ROOT, Settings
from tests.fakes.clock import SettableClock
from tests.fakes.items import MemoryItemStore

MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "shared", "lib", "core", "manager", "tools"}
CODE = ("chalicelib", "loadsim", "operators", "phoenix_cli", "images", "docs", "bench", "tests")


def python_files() -> Iterator[Path]:
    yield ROOT / "app.py"
    for folder in CODE:
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Route, ...]:
    clock = SettableClock()
    outside = Outside(clock=clock, store=MemoryItemStore(clock.now))
    folder: Path = tmp_path_factory.mktemp("unused")
    return tuple(build(Settings(data_dir=folder), outside).routes)


def test_every_route_needs_a_role_or_says_why_not(routes: tuple[Route, ...]) -> None:
    assert routes
    for route in routes:
        assert isinstance(route.role, Role | Public), f"{route.method} {route.path} has no role"


def test_public_is_for_two_reasons_and_each_is_used_once(routes: tuple[Route, ...]) -> None:
    assert {reason.name for reason in Public} == {"HEALTH", "ENROLMENT"}
    public = [route.role for route in routes if isinstance(route.role, Public)]
    assert sorted(public) == sorted(Public)


def test_a_route_about_a_host_by_its_own_token_checks_which_host(routes: tuple[Route, ...]) -> None:
    for route in routes:
        if route.role is Role.HOST and "{host}" in route.path:
            assert route.own == "host", f"{route.method} {route.path} takes any host's token"


def test_routes_differ(routes: tuple[Route, ...]) -> None:
    keys = [(route.method, re.sub(r"{\w+}", "{}", route.path)) for route in routes]
    assert len(keys) == len(set(keys))


def test_nothing_that_changes_something_is_open_to_viewers(routes: tuple[Route, ...]) -> None:
    asking = {f"/api/v1/pipelines/{{pipeline}}/{what}" for what in ("render", "fragment")} | {"/api/v1/validations"}
    for route in routes:
        if route.method != "GET" and route.path not in asking:
            assert route.role is not Role.VIEWER, f"{route.method} {route.path}"


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_small_named_for_what_it_holds_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= MOST_LINES
    assert path.stem not in VAGUE
    if text.strip():
        docstring = ast.get_docstring(ast.parse(text))
        assert docstring, "no docstring at the top"
        assert len(docstring) > (5 if path.stem == "__init__" else 15)


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_use_fakes_and_skip_nothing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = {getattr(node, "module", "") or ""} | {alias.name for alias in node.names}
            assert not names & {"unittest.mock", "mock", "pytest_mock"}, f"line {node.lineno}: a mock"
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            said = f"{owner}.{node.attr}"
            assert said not in {"monkeypatch.setattr", "monkeypatch.setitem", "mock.patch"}, (
                f"line {node.lineno}: {said}"
            )
            assert said not in {"mark.skip", "mark.skipif", "mark.xfail", "pytest.skip"}, f"line {node.lineno}: {said}"


IMPORTER = """
import builtins, importlib, json, os, pkgutil, socket, subprocess, sys, threading
sys.path.insert(0, {root!r})
done = []
def refuse(name):
    def refused(*args, **kwargs):
        raise AssertionError(f"importing called {{name}}{{args[:2]}}")
    return refused
import chalicelib
names = ["app"] + [info.name for info in pkgutil.walk_packages(chalicelib.__path__, "chalicelib.")]
for third in {warm!r}:
    importlib.import_module(third)
before = set(threading.enumerate())
socket.socket.connect = refuse("socket.connect")
socket.getaddrinfo = refuse("getaddrinfo")
subprocess.Popen.__init__ = refuse("Popen")
threading.Thread.start = refuse("Thread.start")
def ours(frame):
    while frame.f_code.co_filename.endswith(("/os.py", "os>", "_collections_abc.py", "_collections_abc>")):
        frame = frame.f_back
    return frame.f_code.co_filename.startswith({root!r}) and ".venv" not in frame.f_code.co_filename
class Closed(dict):
    def _told(self, name=None, otherwise=None):
        if ours(sys._getframe(1)):
            raise AssertionError(f"importing read the environment: {{name}}")
        return otherwise
    get = _told
    def __getitem__(self, name):
        self._told(name)
        raise KeyError(name)
    def __contains__(self, name):
        return bool(self._told(name))
real = os.environ
real_open = builtins.open
def guarded(file, mode="r", *args, **kwargs):
    if any(letter in mode for letter in "wax+"):
        raise AssertionError(f"importing wrote {{file}}")
    return real_open(file, mode, *args, **kwargs)
builtins.open = guarded
os.environ = Closed()
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        done.append([name, repr(error)])
os.environ = real
assert set(threading.enumerate()) == before
print(json.dumps([len(names), done]))
"""
THIRD_PARTY = (
    *("pydantic", "yaml", "chalice.app", "boto3", "botocore.config", "pynamodb.models", "pynamodb.connection"),
    *("google.protobuf.json_format", "opentelemetry._opamp.proto.opamp_pb2", "logging.handlers"),
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
)
"""What others do when they are imported is theirs: they are imported before the door is shut, and may read on."""


def test_importing_does_nothing() -> None:
    """Every module of the control plane, with no environment, no network, no threads, no processes and no writes."""
    script = IMPORTER.format(root=str(ROOT), warm=THIRD_PARTY)
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], env={}, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    count, failed = json.loads(done.stdout.splitlines()[-1])
    assert count > 100
    assert failed == []
