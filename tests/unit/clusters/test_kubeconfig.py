"""A kubeconfig as the control plane gets it: text only, and refusals that say what to do instead."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.domain.errors import InvalidInput
from phoenix_cli.kubeconfig import reduce_kubeconfig, server, token_credentials

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def written(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    path = folder / "config"
    document = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_token_and_a_ca_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, {"certificate-authority-data": data(CA)}, {"token": "secret-token\n"})
    found = reduce_kubeconfig(path, None)
    assert found.server == {"url": "https://10.0.0.1:6443", "ca": CA, "context": "here"}
    assert found.credentials == {"token": "secret-token"}
    assert "secret-token" not in repr(found)


def test_files_are_found_beside_it(tmp_path: Path) -> None:
    for name, text in (("ca.crt", CA), ("me.crt", "cert"), ("me.key", "key")):
        (tmp_path / name).write_text(text)
    user = {"client-certificate": "me.crt", "client-key": str(tmp_path / "me.key")}
    found = reduce_kubeconfig(written(tmp_path, {"certificate-authority": "ca.crt"}, user), "here")
    assert found.server["ca"] == CA
    assert found.credentials == {"clientCertificate": "cert", "clientKey": "key"}


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        ({}, {"exec": {"command": "aws"}}, "--eks"),
        ({}, {"auth-provider": {"name": "gcp"}}, "--eks"),
        ({}, {"username": "u", "password": "p"}, "--token-file"),
        ({"insecure-skip-tls-verify": True}, {"token": "t"}, "no credentials"),
        ({"proxy-url": "http://proxy"}, {"token": "t"}, "--pull"),
        ({"certificate-authority-data": ""}, {"token": "t"}, "--ca"),
        ({"certificate-authority-data": "no base64!"}, {"token": "t"}, ""),
    ],
)
def test_what_cannot_be_used_elsewhere_is_refused(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], says: str
) -> None:
    path = written(tmp_path, {"certificate-authority-data": data(CA), **cluster}, user)
    with pytest.raises(InvalidInput) as told:
        reduce_kubeconfig(path, None)
    assert says in told.value.hint
    assert str(path) in told.value.detail


def test_another_context_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, {"certificate-authority-data": data(CA)}, {"token": "t"})
    with pytest.raises(InvalidInput) as told:
        reduce_kubeconfig(path, "there")
    assert "there are: here" in told.value.hint
    (tmp_path / "none").write_text("[]")
    with pytest.raises(InvalidInput, match="no kubeconfig"):
        reduce_kubeconfig(tmp_path / "none", None)


def test_files_that_are_no_ca_and_no_token_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("short\n")
    with pytest.raises(InvalidInput, match="file holds no certificate in PEM"):
        server("https://10.0.0.1", file)
    with pytest.raises(InvalidInput, match="does not begin with https"):
        server("http://10.0.0.1", file)
    with pytest.raises(InvalidInput, match="file holds no token"):
        token_credentials(file)
