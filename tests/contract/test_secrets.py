"""What every keeper of secrets must do: a folder of private files, and AWS Secrets Manager (moto)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.secrets.aws import AwsSecrets
from chalicelib.adapters.secrets.files import FileSecrets
from chalicelib.domain.errors import InvalidInput, TooLarge, Unavailable
from chalicelib.ports.secrets import MAX_SECRET, Secrets

NAME = "default/cluster-prod-1"


@pytest.fixture(params=["files", "aws"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Secrets]:
    if request.param == "files":
        yield FileSecrets(tmp_path / "secrets")
        return
    with mock_aws():
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        yield AwsSecrets("eu-west-1", "phoenix-", boto3.client("secretsmanager", region_name="eu-west-1", **keys))


def test_what_is_kept_is_found_until_it_is_forgotten(secrets: Secrets) -> None:
    assert secrets.get(NAME) is None
    secrets.put(NAME, "first")
    assert secrets.get(NAME) == "first"
    secrets.put(NAME, 'second "with" everything\n✓')
    assert secrets.get(NAME) == 'second "with" everything\n✓'
    assert secrets.get("default/cluster-prod-2") is None
    secrets.delete(NAME)
    secrets.delete(NAME)
    assert secrets.get(NAME) is None
    secrets.put(NAME, "again")
    assert secrets.get(NAME) == "again"


@pytest.mark.parametrize("name", ["", "../out", "a/../b", "/a", "a//b", ".hidden", "a b", "a\nb", "ü", "a" * 201, "a/"])
def test_a_name_that_could_mean_something_else_is_refused(secrets: Secrets, name: str) -> None:
    for act in (lambda: secrets.get(name), lambda: secrets.put(name, "x"), lambda: secrets.delete(name)):
        with pytest.raises(InvalidInput):
            act()


def test_a_secret_that_is_too_long_is_refused_and_not_told(secrets: Secrets) -> None:
    secrets.put(NAME, "x" * MAX_SECRET)
    with pytest.raises(TooLarge) as told:
        secrets.put(NAME, "y" * (MAX_SECRET + 1))
    assert "yyy" not in str(told.value)
    assert secrets.get(NAME) == "x" * MAX_SECRET


def test_files_are_for_their_owner_alone_and_nothing_is_left_of_a_write(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets")
    before = os.umask(0)
    try:
        secrets.put(NAME, "text")
        secrets.put(NAME, "other")
    finally:
        os.umask(before)
    (file,) = (path for path in (tmp_path / "secrets").rglob("*") if path.is_file())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folders = [tmp_path / "secrets", *(path for path in (tmp_path / "secrets").rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    secrets = FileSecrets(tmp_path / "file" / "secrets")
    with pytest.raises(Unavailable, match="cannot be used"):
        secrets.put(NAME, "text")


def test_a_service_that_refuses_is_unavailable_without_its_words() -> None:
    with mock_aws():
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9", **keys)
        with pytest.raises(Unavailable) as told:
            AwsSecrets("eu-west-1", "phoenix-", client).put(NAME, "very-secret")
    assert "very-secret" not in str(told.value)
