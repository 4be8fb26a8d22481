"""Getting and keeping a host's own credentials, against a scratch control plane over real HTTP."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chalicelib.domain.errors import InvalidInput, NotAuthenticated, NotFound, Unavailable
from phoenix_cli.host_runtime.credentials import HostCredentials, enrol, load_credentials, save_credentials
from tests.fakes.opamp_server import OpampServer


def test_a_one_time_token_becomes_credentials_once() -> None:
    with OpampServer() as plane:
        plane.enrolments["once"] = "vm-a"
        got = enrol(plane.url + "/", "once", "vm-a", {"env": "prod"})
        assert got == HostCredentials(endpoint=plane.url, host="vm-a", token="phx_scratch", labels={"env": "prod"})
        assert plane.enrolment_requests == [{"token": "once", "host": "vm-a", "labels": {"env": "prod"}}]
        with pytest.raises(NotAuthenticated, match="used or expired") as error:
            enrol(plane.url, "once", "vm-a", {})
        assert error.value.code == "PHX-TEST"


def test_bad_input_is_refused_before_anything_is_sent() -> None:
    with OpampServer() as plane, pytest.raises(InvalidInput) as error:
        enrol(plane.url, "once", "a/b", {"k": "v v"})
    assert [problem.pointer for problem in error.value.problems] == ["/host", "/labels/k"]
    assert plane.enrolment_requests == []


def test_no_control_plane_is_unavailable() -> None:
    with OpampServer() as plane:
        url = plane.url
    with pytest.raises(Unavailable, match="does not answer"):
        enrol(url, "once", "vm-a", {})


def test_credentials_are_kept_for_the_owner_alone(tmp_path: Path) -> None:
    credentials = HostCredentials(endpoint="http://h", host="vm-a", token="phx_1", labels={"a": "b"})
    path = save_credentials(tmp_path / "data", credentials)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_credentials(tmp_path / "data") == credentials
    assert "phx_1" not in repr(credentials)


def test_missing_and_damaged_credentials_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no host is enrolled"):
        load_credentials(tmp_path)
    for text in ("{", "[]", '{"endpoint": 1, "host": "a", "token": "b", "labels": {}}', '{"endpoint": "x"}'):
        (tmp_path / "credentials.json").write_text(text)
        with pytest.raises(InvalidInput, match="damaged"):
            load_credentials(tmp_path)
