"""One connection to a cluster's API by the kubernetes client: only the CA that was registered is trusted, every call
has a deadline and is made once, and what comes back is JSON or an error of our tree.
"""

from __future__ import annotations

import json
import ssl
import tempfile
from pathlib import Path
from typing import Any

from chalicelib.domain.cluster.cluster import Credentials, Server
from chalicelib.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, PhoenixError, Unavailable
from chalicelib.domain.fleet.report import tidy

CONNECT_S = 5.0
READ_S = 20.0
MAX_TEXT = 500
APPLY = "application/apply-patch+yaml"


class Connection:
    """Made without calling anything; reused for all calls of one look."""

    def __init__(self, server: Server, credentials: Credentials) -> None:
        self._url = server.url.rstrip("/")
        self._token = credentials.token
        self._client = _client(server, credentials)

    def ask(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
        """One call. path: from the server's root. A PATCH is a server-side apply. The JSON of the answer."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = APPLY if method == "PATCH" else "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        try:
            # Below ApiClient.call_api, which breaks on a refusal of TLS (36.0: it decodes a body that is not there).
            answer = self._client.request(
                method,
                self._url + path,
                query_params=list((query or {}).items()),
                headers=headers,
                body=body,
                _preload_content=False,
                _request_timeout=(CONNECT_S, READ_S),
            )
            return json.loads(answer.data)
        except ApiException as error:
            raise _refusal(method, path, error.status, error.body, error.reason) from error
        except (HTTPError, OSError) as error:
            raise Unavailable(f"the cluster at {self._url} cannot be reached: {_cause(error)}") from error
        except ValueError as error:
            raise Unavailable(f"the cluster at {self._url} did not answer in JSON") from error


def _client(server: Server, credentials: Credentials) -> Any:
    # Imported where it is used: a second and 60 MiB that a control plane without clusters need not have.
    import urllib3
    from kubernetes.client import Configuration
    from kubernetes.client.rest import RESTClientObject

    client = RESTClientObject(Configuration())
    # A pool of our own: the client's takes certificates and keys from files only, and would repeat what fails.
    client.pool_manager = urllib3.PoolManager(
        ssl_context=_context(server, credentials),
        server_hostname=server.tls_server_name or None,
        assert_hostname=server.tls_server_name or None,
        retries=False,
    )
    return client


def _context(server: Server, credentials: Credentials) -> ssl.SSLContext:
    """Raises InvalidInput for certificates and keys that are none."""
    try:
        context = ssl.create_default_context(cadata=server.ca)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidInput("the cluster's CA is no certificate in PEM", hint="give the file that --ca names") from error
    if credentials.client_certificate is not None and credentials.client_key is not None:
        texts = credentials.client_certificate.get_secret_value(), credentials.client_key.get_secret_value()
        with tempfile.TemporaryDirectory(prefix="phoenix-") as folder:  # 0700; the library reads files only
            path = Path(folder) / "pair.pem"
            path.touch(0o600)
            path.write_text("\n".join(texts), "utf-8")
            try:
                context.load_cert_chain(path)
            except (ssl.SSLError, ValueError) as error:
                raise InvalidInput("client certificate and key do not fit, or are not in PEM") from error
    return context


def _refusal(method: str, path: str, status: int | None, body: Any, reason: Any) -> PhoenixError:
    """The server's own words, bounded. status 0: the connection failed in TLS."""
    try:
        words = str(json.loads(body or b"{}").get("message", ""))
    except (ValueError, AttributeError, TypeError):
        words = ""
    what = f"{method} {path}"
    said = tidy(words or str(reason or ""), MAX_TEXT).replace("\n", " ")
    if not status:
        hint = "is it this cluster's CA, and its server's name?" if "CERTIFICATE_VERIFY_FAILED" in said else ""
        return Unavailable(f"the cluster cannot be trusted or reached: {said}", hint=hint)
    if status == 401:
        hint = "expired, revoked, or another cluster's? Take a token anew; once registered: phoenix cluster rotate"
        return NotAllowed(f"the cluster does not know these credentials ({what})", hint=hint)
    if status == 403:
        hint = "give it the rights that phoenix cluster manifest prints"
        return NotAllowed(f"the cluster does not allow it: {said}", hint=hint)
    if status == 404:
        return NotFound(f"the cluster has no such thing ({what}): {said}", hint="are Phoenix's resources installed?")
    if status == 409:
        return Conflict(f"the cluster says it conflicts ({what}): {said}")
    if status == 429 or status >= 500:
        return Unavailable(f"the cluster answered {status} ({what}): {said}")
    return InvalidInput(f"the cluster refused {what}: {said}")


def _cause(error: Exception) -> str:
    """Why, in a line: the innermost reason of what urllib3 wraps."""
    inner = getattr(error, "reason", None)
    found = inner if isinstance(inner, Exception) else error
    return tidy(f"{type(found).__name__}: {found}", 300).replace("\n", " ")
