"""The real Cluster: the Kubernetes API over aiohttp. Nothing is decided here, and nothing is cached."""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from chalicelib.domain.errors import Conflict, NotFound, PhoenixError, Unavailable
from chalicelib.domain.kubernetes.resource import OPERATOR_FIELD_MANAGER
from operators.engine.answers import change, lines, refusal
from operators.engine.cluster import Change
from operators.engine.credentials import Credentials
from operators.engine.objects import Key, Kind, Object, key_of, slim

log = logging.getLogger(__name__)
DEADLINE_S = 30.0
CONNECT_S = 10.0
WATCH_S = 300
"""Asked of the server; it ends a stream then, and the watch goes on with the next."""
QUIET_S = 130.0
"""Bookmarks come about once a minute: a stream that says nothing for so long is taken for dead."""
PAGE = 500
METADATA_PAGE = 2500
"""Objects of a page: metadata alone is a fraction of an object."""
MOST_CONNECTIONS = 64
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_MAX_EVENT_TEXT = 1000

Counted = Callable[[str, Kind, int], None]
"""Told of every request: its verb as in RBAC, the kind, the HTTP status (0: no answer)."""


class KubeClient:
    """Implements Cluster and Watchable. `close` at the end. One event loop."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        counted: Counted = lambda verb, kind, code: None,
        manager: str = OPERATOR_FIELD_MANAGER,
        now: Callable[[], float],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """now: Unix seconds, for the times in events."""
        self._credentials, self._counted, self._manager = credentials, counted, manager
        self._now, self._deadline_s = now, deadline_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, kind: Kind, key: Key) -> Object | None:
        """See Cluster."""
        try:
            return slim(await self._ask("get", "GET", kind, _path(kind, key.namespace, key.name), key))
        except NotFound:
            return None

    async def list(self, kind: Kind, namespace: str = "", labels: str = "") -> list[Object]:
        """See Cluster."""
        return [thing async for page, _ in self.pages(kind, namespace, labels) for thing in page]

    async def pages(
        self, kind: Kind, namespace: str, labels: str, *, metadata_only: bool = False
    ) -> AsyncIterator[tuple[builtins.list[Object], str]]:
        """See Watchable."""
        query = {"limit": str(METADATA_PAGE if metadata_only else PAGE)} | ({"labelSelector": labels} if labels else {})
        accept = METADATA_LIST if metadata_only else "application/json"
        while True:
            page = await self._ask("list", "GET", kind, _path(kind, namespace), None, query=query, accept=accept)
            named = {} if metadata_only else {"apiVersion": kind.api_version, "kind": kind.kind}
            more = page["metadata"].get("continue", "")
            things: builtins.list[Object] = [slim({**named, **item}) for item in page.get("items") or []]
            yield things, str(page["metadata"].get("resourceVersion", ""))
            if not more:
                return
            query["continue"] = more

    async def watch(
        self, kind: Kind, namespace: str, labels: str, version: str, *, metadata_only: bool = False
    ) -> AsyncIterator[Change]:
        """See Watchable."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_S),
        }
        query |= {"labelSelector": labels} if labels else {}
        what = f"watch {kind.plural}"
        headers = {"accept": METADATA if metadata_only else "application/json"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=QUIET_S)
        buffer = bytearray()
        try:
            async with self._open().get(
                self._credentials.server + _path(kind, namespace),
                params=query,
                headers=headers | self._authorization(),
                timeout=timeout,
            ) as answer:
                self._counted("watch", kind, answer.status)
                if answer.status == 410:
                    yield Change("EXPIRED")
                    return
                if answer.status != 200:
                    self._refused(answer.status)
                    raise refusal(what, answer.status, await answer.content.read(65536))
                async for chunk in answer.content.iter_any():
                    for line in lines(buffer, chunk):
                        yield change(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{what}: {_words(error)}") from error

    async def apply(self, kind: Kind, body: Object, *, force: bool = True) -> Object:
        """See Cluster."""
        key = key_of(body)
        query = {"fieldManager": self._manager, "force": "true" if force else "false", "fieldValidation": "Strict"}
        path = _path(kind, key.namespace, key.name)
        return slim(await self._ask("patch", "PATCH", kind, path, key, query=query, body=body, content=APPLY))

    async def create(self, kind: Kind, body: Object) -> Object:
        """See Cluster."""
        key = key_of(body)
        path, query = _path(kind, key.namespace), {"fieldManager": self._manager, "fieldValidation": "Strict"}
        _path(kind, key.namespace, key.name)
        return slim(await self._ask("create", "POST", kind, path, key, query=query, body=body, accept=METADATA))

    async def apply_status(
        self, kind: Kind, key: Key, status: dict[str, Any], *, onto: Object | None = None
    ) -> Object | None:
        """See Cluster."""
        metadata = {"name": key.name} | ({"namespace": key.namespace} if kind.namespaced else {})
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status}
        query = {"fieldManager": self._manager, "force": "true", "fieldValidation": "Strict"}
        path = _path(kind, key.namespace, key.name) + "/status"
        accept = "application/json" if onto is None else METADATA
        try:
            stored = slim(
                await self._ask("patch", "PATCH", kind, path, key, query=query, body=body, content=APPLY, accept=accept)
            )
        except NotFound:
            return None
        if onto is None:
            return stored
        if _spec_version(onto) != _spec_version(stored):
            return await self.get(kind, key)
        return {**onto, "metadata": stored["metadata"], "status": status}

    async def finalizers(self, kind: Kind, thing: Object, finalizers: tuple[str, ...]) -> Object | None:
        """See Cluster."""
        key = key_of(thing)
        version = thing["metadata"]["resourceVersion"]
        body = {"metadata": {"finalizers": list(finalizers), "resourceVersion": version}}
        query = {"fieldManager": self._manager}
        path = _path(kind, key.namespace, key.name)
        try:
            return slim(await self._ask("patch", "PATCH", kind, path, key, query=query, body=body, content=MERGE))
        except NotFound:
            return None

    async def delete(self, kind: Kind, key: Key, *, uid: str = "") -> bool:
        """See Cluster."""
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        body |= {"preconditions": {"uid": uid}} if uid else {}
        try:
            await self._ask("delete", "DELETE", kind, _path(kind, key.namespace, key.name), key, body=body)
        except NotFound:
            return False
        except Conflict:
            if uid:
                return False
            raise
        return True

    async def version(self) -> str:
        """See Cluster."""
        return str((await self._ask("get", "GET", SERVER_VERSION, "/version", None)).get("gitVersion", ""))[:64]

    async def event(self, about: Object, kind: Kind, reason: str, message: str, *, warning: bool = False) -> None:
        """See Cluster."""
        key = key_of(about)
        namespace = key.namespace or "default"
        at = self._now()
        time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{key.name[:220]}.{round(at * 1e6):x}", "namespace": namespace},
            "involvedObject": {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "name": key.name,
                "namespace": key.namespace,
                "uid": about["metadata"].get("uid", ""),
                "resourceVersion": about["metadata"].get("resourceVersion", ""),
            },
            "type": "Warning" if warning else "Normal",
            "reason": reason[:128],
            "message": message[:_MAX_EVENT_TEXT],
            "action": reason[:128],
            "eventTime": time,
            "reportingComponent": self._manager,
            "reportingInstance": self._manager,
        }
        try:
            await self._ask("create", "POST", EVENT, _path(EVENT, namespace), None, body=body)
        except PhoenixError as error:
            log.info("an event was not written: %s", error.detail)

    async def _ask(
        self,
        verb: str,
        method: str,
        kind: Kind,
        path: str,
        key: Key | None,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        what = f"{verb} {kind.plural}" + (f" {key.namespace}/{key.name}" if key else "")
        data = None if body is None else orjson.dumps(body)
        headers = {"accept": accept} | ({"content-type": content} if data is not None else {})
        for again in (True, False):
            code, answer = await self._send(what, verb, kind, method, path, query, data, headers)
            if not (code == 401 and again and self._credentials.refused()):
                break
        if code >= 300:
            raise refusal(what, code, answer)
        try:
            parsed: dict[str, Any] = orjson.loads(answer)
        except ValueError as error:
            raise Unavailable(f"{what}: the answer is not JSON") from error
        return parsed

    async def _send(
        self,
        what: str,
        verb: str,
        kind: Kind,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[int, bytes]:
        code = 0
        try:
            async with self._open().request(
                method,
                self._credentials.server + path,
                params=query,
                data=data,
                headers={**headers, **self._authorization()},
                timeout=aiohttp.ClientTimeout(total=self._deadline_s, sock_connect=CONNECT_S),
                allow_redirects=False,
            ) as answer:
                code = answer.status
                return code, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{what}: {_words(error)}") from error
        finally:
            self._counted(verb, kind, code)

    def _refused(self, code: int) -> None:
        if code == 401:
            self._credentials.refused()

    def _authorization(self) -> dict[str, str]:
        token = self._credentials.token(asyncio.get_running_loop().time())
        return {"authorization": f"Bearer {token}"} if token else {}

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls = self._credentials.tls
            connector = aiohttp.TCPConnector(ssl=True if tls is None else tls, limit=MOST_CONNECTIONS)
            # The audit log of a cluster names who asked.
            agent = {"User-Agent": self._manager}
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False, headers=agent)
        return self._session


EVENT = Kind("v1", "events", "Event")
SERVER_VERSION = Kind("", "version", "Version", namespaced=False)


def _path(kind: Kind, namespace: str, name: str = "") -> str:
    """Names are checked by the API server; a slash in one would make another path, so it may not be there."""
    if "/" in namespace + name or ".." in (namespace, name):
        raise NotFound(f"no object is named {name[:80]!r}")
    root = f"/apis/{kind.api_version}" if "/" in kind.api_version else f"/api/{kind.api_version}"
    scope = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{root}{scope}/{kind.plural}" + (f"/{name}" if name else "")


def _spec_version(thing: Object) -> tuple[str, int]:
    return thing["metadata"]["uid"], thing["metadata"].get("generation", 0)


def _words(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else (str(error) or type(error).__name__)[:200]
