"""Who we are to a Kubernetes API server: a pod's service account, or a kubeconfig. No requests here.

Credentials are never part of a message, and never leave this room but as an Authorization header.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from chalicelib.domain.errors import InvalidInput

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REREAD_S = 60.0
"""A service account's token is replaced by the kubelet about once an hour; the old one is good for a while."""


class Credentials:
    """Address of the API server, how it proves itself, and our token (a file is read again every minute)."""

    def __init__(
        self, server: str, tls: ssl.SSLContext | None, *, token: str = "", token_file: Path | None = None
    ) -> None:
        self.server = server.rstrip("/")
        self.tls = tls
        self._token, self._file = token, token_file
        self._read_at: float | None = None

    def token(self, now: float) -> str:
        """The bearer token, "" for a client certificate. now: seconds of a clock that only goes on."""
        if self._file is not None and (self._read_at is None or now - self._read_at >= REREAD_S):
            try:
                self._token = self._file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                if not self._token:
                    raise InvalidInput(f"the token file {self._file} cannot be read") from error
            self._read_at = now
        return self._token

    def refused(self) -> bool:
        """The server said 401. Whether there is a file with perhaps a newer token to try again with."""
        self._read_at = None
        return self._file is not None


def in_cluster(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Credentials | None:
    """Those of the pod we run in, or None outside one."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").is_file():
        return None
    shown = f"[{host}]" if ":" in host else host
    tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    return Credentials(f"https://{shown}:{port}", tls, token_file=folder / "token")


def from_kubeconfig(path: Path, context: str = "") -> Credentials:
    """Those of a kubeconfig's context ("" its current one): client certificate, token or token file. Raises
    InvalidInput naming what is missing; a plugin (`exec`) is not run."""
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path} cannot be read as a kubeconfig") from error
    if not isinstance(config, dict):
        raise InvalidInput(f"{path} is not a kubeconfig: not a mapping")
    name = context or str(config.get("current-context", ""))
    chosen = _named(config, "contexts", name, "context")
    cluster = _named(config, "clusters", str(chosen.get("cluster", "")), "cluster")
    user = _named(config, "users", str(chosen.get("user", "")), "user")
    if "exec" in user or "auth-provider" in user:
        raise InvalidInput(f"{path}: the user of context {name} needs a plugin; use a token or a client certificate")
    server = str(cluster.get("server", ""))
    if not server.startswith(("https://", "http://")):
        raise InvalidInput(f"{path}: the cluster of context {name} has no server address")
    tls = _tls(path, cluster, user) if server.startswith("https://") else None
    token_file = _beside(path, user["tokenFile"]) if user.get("tokenFile") else None
    return Credentials(server, tls, token=str(user.get("token") or ""), token_file=token_file)


def _named(config: Mapping[str, Any], group: str, name: str, what: str) -> Mapping[str, Any]:
    for entry in config.get(group) or []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(what), dict):
            found: Mapping[str, Any] = entry[what]
            return found
    raise InvalidInput(f"the kubeconfig has no {what} named {name!r}")


def _tls(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    tls = ssl.create_default_context()
    try:
        _with_file(path, cluster, "certificate-authority", lambda file: tls.load_verify_locations(cafile=file))
        if user.get("client-certificate") or user.get("client-certificate-data"):
            if not (user.get("client-key") or user.get("client-key-data")):
                raise InvalidInput(f"{path}: the user has a client certificate and no client-key")
            _with_file(
                path,
                user,
                "client-certificate",
                lambda certificate: _with_file(
                    path, user, "client-key", lambda key: tls.load_cert_chain(certificate, key)
                ),
            )
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"{path}: a certificate or key cannot be used") from error
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _with_file(path: Path, entry: Mapping[str, Any], name: str, use: Callable[[str], None]) -> None:
    """Call with a file that holds the entry: its own, or a private one for as long as the call takes."""
    data = entry.get(f"{name}-data")
    if not data:
        if entry.get(name):
            use(str(_beside(path, entry[name])))
        return
    try:
        raw = base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{path}: {name}-data is not base64") from error
    with tempfile.NamedTemporaryFile(prefix="phoenix-kubeconfig-") as file:
        file.write(raw)
        file.flush()
        use(file.name)


def _beside(path: Path, name: object) -> Path:
    return path.parent / str(name)
