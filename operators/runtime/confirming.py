"""Asking a collector, over its pod's address, which configuration it runs."""

from __future__ import annotations

import ipaddress

import aiohttp

from operators.pipelines.confirmation import MAX_ANSWER, Answer, answer_in
from operators.pipelines.names import METRICS_PORT

DEADLINE_S = 5.0
AT_ONCE = 20


class PodAsker:
    """Implements pipelines.confirmation.Confirming. `close` at the end."""

    def __init__(self, port: int = METRICS_PORT, deadline_s: float = DEADLINE_S) -> None:
        self._port, self._deadline_s = port, deadline_s
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, ip: str) -> Answer:
        """See Confirming."""
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return Answer(reason="its pod has no address")
        host = f"[{address}]" if address.version == 6 else str(address)
        try:
            async with self._open().get(f"http://{host}:{self._port}/metrics", allow_redirects=False) as answer:
                if answer.status != 200:
                    return Answer(reason=f"its metrics answer with status {answer.status}")
                return answer_in(await _bounded(answer.content))
        except TimeoutError:
            return Answer(reason=f"its metrics did not answer within {self._deadline_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(reason=f"its metrics cannot be read: {type(error).__name__}")

    async def close(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, force_close=True),
                timeout=aiohttp.ClientTimeout(total=self._deadline_s),
                trust_env=False,
            )
        return self._session


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    found = bytearray()
    async for chunk in content.iter_chunked(65536):
        found += chunk
        if len(found) > MAX_ANSWER:
            break
    return bytes(found)
