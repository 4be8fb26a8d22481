"""Posting to webhooks: one bounded exchange, and what came of it as a value. Nothing is repeated here."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.adapters.outbound.exchange import FAILURES, Ask, Forbidden, Resolve, exchange
from chalicelib.domain.notification.delivery import Reply

DEADLINE_S = 5.0
"""Ten attempts, one SQS batch, fit a Lambda invocation of a minute."""
MAX_ANSWER = 16_384
"""Bytes of an answer that are read; a gate's answer is far shorter."""


class HttpNotifier:
    """private: whether private networks may be posted to. resolve: name and port to addresses."""

    def __init__(self, *, private: bool, deadline_s: float = DEADLINE_S, resolve: Resolve | None = None) -> None:
        self._private, self._deadline_s, self._resolve = private, deadline_s, resolve

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One attempt; never raises for what the receiver or the network does."""
        try:
            ask = Ask("POST", url, headers, body, MAX_ANSWER)
            answer = exchange(ask, private=self._private, deadline_s=self._deadline_s, resolve=self._resolve)
        except Forbidden as error:
            return Reply(error=str(error), refused=True)
        except TimeoutError:
            return Reply(error=f"no answer within {self._deadline_s:g} s")
        except FAILURES as error:
            return Reply(error=f"{type(error).__name__}: {error}"[:300])
        return Reply(status=answer.status, body=answer.body, retry_after=answer.retry_after)
