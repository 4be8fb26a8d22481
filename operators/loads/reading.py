"""Asks a load's pod how it stands: one GET with a deadline, a bounded answer, no redirects. Decides nothing."""

from __future__ import annotations

import ipaddress
from typing import Protocol

import aiohttp
from pydantic import ValidationError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.load_job import LOAD_PORT
from chalicelib.domain.load import LoadStatus

DEADLINE_S = 2.0
LONGEST = 16_384
"""Bytes of an answer; a status has about one thousand."""


class Ask(Protocol):
    """How the pod at an address stands."""

    async def __call__(self, address: str) -> LoadStatus:
        """Raises Unavailable with the reason, within DEADLINE_S."""


class HttpAsk:
    """Asks by HTTP. No proxy and no credential: a pod's address is inside the cluster, and its answer no secret."""

    def __init__(self, port: int = LOAD_PORT) -> None:
        self._port = port

    async def __call__(self, address: str) -> LoadStatus:
        host = ipaddress.ip_address(address)
        url = f"http://[{host}]:{self._port}/status" if host.version == 6 else f"http://{host}:{self._port}/status"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_S)) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise Unavailable(f"it answered {answer.status}")
                body = await answer.content.read(LONGEST)
                while not answer.content.at_eof() and len(body) < LONGEST:
                    body += await answer.content.read(LONGEST - len(body))
            return LoadStatus.model_validate_json(body)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {DEADLINE_S:g} s") from error
        except aiohttp.ClientError as error:
            raise Unavailable(f"{type(error).__name__}: {error}"[:200]) from error
        except ValidationError as error:
            raise Unavailable("its answer is not a load's status") from error
