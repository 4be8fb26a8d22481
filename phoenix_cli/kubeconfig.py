"""A kubeconfig, reduced to what a control plane elsewhere can use: address, CA, and credentials that are plain text.

Nothing in it is executed: a context whose credentials come from a program is refused with the way round it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.domain.errors import InvalidInput
from phoenix_cli.documents import read_document, read_text

SHORTEST_TOKEN = 8
_INSTEAD = "use --eks NAME --region REGION, or a ServiceAccount's token: --server, --ca and --token-file"


@dataclass(frozen=True)
class Reduced:
    """server: as the API takes it. credentials: kept out of repr."""

    server: dict[str, str]
    credentials: dict[str, str] = field(repr=False)


def reduce_kubeconfig(path: Path, context: str | None) -> Reduced:
    """One context of a file; None: the current one. Raises InvalidInput naming the part and what to do."""
    document = read_document(path).value
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{path} is no kubeconfig", hint="is it the file that kubectl uses?")
    name = context or str(document.get("current-context") or "")
    chosen = _named(document, "contexts", "context", name, path)
    cluster = _named(document, "clusters", "cluster", str(chosen.get("cluster", "")), path)
    user = _named(document, "users", "user", str(chosen.get("user", "")), path)
    return Reduced(_server(cluster, name, path), _credentials(user, name, path))


def server(url: str, ca: Path) -> dict[str, str]:
    """A server by its URL and a file with its CA."""
    if not url.startswith("https://"):
        raise InvalidInput(f"--server {url} does not begin with https://", hint="as kubectl cluster-info shows it")
    name, text = read_text(ca)
    if not text.startswith("-----BEGIN CERTIFICATE-----"):
        raise InvalidInput(f"{name} holds no certificate in PEM", hint="--ca wants the CA of the cluster's server")
    return {"url": url, "ca": text}


def token_credentials(path: Path) -> dict[str, str]:
    """Credentials of a file that holds a token."""
    name, text = read_text(path)
    if len(text.strip()) < SHORTEST_TOKEN:
        raise InvalidInput(f"{name} holds no token", hint="is the Secret of the ServiceAccount filled yet?")
    return {"token": text.strip()}


def _named(document: Mapping[str, Any], several: str, one: str, name: str, path: Path) -> Mapping[str, Any]:
    entries = [item for item in document.get(several) or () if isinstance(item, Mapping)]
    found = next((item.get(one) for item in entries if item.get("name") == name), None)
    if not isinstance(found, Mapping):
        known = ", ".join(str(item.get("name")) for item in entries[:10]) or "none"
        raise InvalidInput(f"{path} has no {one} named {name!r}", hint=f"there are: {known}; choose with --context")
    return found


def _server(cluster: Mapping[str, Any], context: str, path: Path) -> dict[str, str]:
    if cluster.get("insecure-skip-tls-verify"):
        raise InvalidInput(
            f"{path}: context {context!r} does not verify the server (insecure-skip-tls-verify)",
            hint="put its CA into the kubeconfig; Phoenix sends no credentials to a server that it cannot know",
        )
    if cluster.get("proxy-url"):
        raise InvalidInput(f"{path}: context {context!r} needs a proxy", hint="use pull mode: --pull")
    ca = _text(cluster, "certificate-authority", path)
    if ca is None:
        raise InvalidInput(f"{path}: context {context!r} names no CA", hint="give it with --server, --ca, --token-file")
    found = {"url": str(cluster.get("server", "")), "ca": ca, "context": context}
    if cluster.get("tls-server-name"):
        found["tlsServerName"] = str(cluster["tls-server-name"])
    return found


def _credentials(user: Mapping[str, Any], context: str, path: Path) -> dict[str, str]:
    for key in ("exec", "auth-provider"):
        if user.get(key):
            raise InvalidInput(
                f"{path}: context {context!r} gets its credentials from a program ({key}), "
                "which a control plane elsewhere cannot run",
                hint=_INSTEAD,
            )
    if user.get("token"):
        return {"token": str(user["token"]).strip()}
    if user.get("tokenFile"):
        return token_credentials(_beside(path, str(user["tokenFile"])))
    certificate, key_text = _text(user, "client-certificate", path), _text(user, "client-key", path)
    if certificate and key_text:
        return {"clientCertificate": certificate, "clientKey": key_text}
    raise InvalidInput(f"{path}: context {context!r} has neither a token nor a client certificate", hint=_INSTEAD)


def _text(entry: Mapping[str, Any], key: str, path: Path) -> str | None:
    """A PEM text that stands in the file itself, or in one that it names."""
    if inside := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(str(inside), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path}: {key}-data is not base64 of a text") from error
    return read_text(_beside(path, str(entry[key])))[1] if entry.get(key) else None


def _beside(path: Path, named: str) -> Path:
    return path.parent / named
