"""The HTTP API of Prometheus: query and query_range, within a deadline, repeated with back-off, bounded in size.

What it answers is judged in answers.py; what is asked is made in arms.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chalicelib.adapters.outbound.exchange import FAILURES, Answer, Ask, Forbidden, Resolve, exchange
from chalicelib.adapters.prometheus.answers import data_of, said
from chalicelib.adapters.prometheus.credentials import Sign
from chalicelib.domain.errors import Unavailable

DEADLINE_S = 10.0
"""One question with all its repetitions. A look asks a few, and a Lambda invocation has a minute."""
ATTEMPT_S = 6.0
ATTEMPTS = 3
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes; what is asked is cut so that sound answers stay well below."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long one question may take, and how time passes."""

    deadline_s: float = DEADLINE_S
    attempt_s: float = ATTEMPT_S
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class PrometheusApi:
    """One server. url: its base. private: whether it may lie in a private network."""

    def __init__(
        self,
        url: str,
        sign: Sign,
        *,
        private: bool,
        patience: Patience | None = None,
        resolve: Resolve | None = None,
        most: int = MAX_ANSWER,
    ) -> None:
        self._url, self._sign, self._private, self._most = url.rstrip("/"), sign, private, most
        self._patience, self._resolve = patience or Patience(), resolve

    def query(self, promql: str, at_ms: int) -> Any:
        """`data` of an instant query. Raises Unavailable."""
        return self._ask("query", {"query": promql, "time": seconds(at_ms)})

    def query_range(self, promql: str, start_ms: int, end_ms: int, step_ms: int) -> Any:
        """`data` of a range query, both ends included. Raises Unavailable."""
        form = {"query": promql, "start": seconds(start_ms), "end": seconds(end_ms), "step": seconds(step_ms)}
        return self._ask("query_range", form)

    def _ask(self, what: str, form: Mapping[str, str]) -> Any:
        until = self._patience.now() + self._patience.deadline_s
        body = urlencode({**form, "timeout": f"{self._patience.attempt_s:g}s"}).encode()
        why = ""
        for attempt in range(ATTEMPTS):
            left = until - self._patience.now()
            if left <= 0:
                break
            try:
                answer = self._once(f"{self._url}/api/v1/{what}", body, min(left, self._patience.attempt_s))
            except _Failed as error:
                why, wait = str(error), None
            else:
                if answer.status not in _AGAIN:
                    return self._data(answer)
                why, wait = f"it answered {answer.status}{said(answer.body)}", answer.retry_after
            if attempt < ATTEMPTS - 1:
                self._pause(attempt, wait, until)
        raise Unavailable(f"Prometheus could not be asked: {why or 'no answer in time'}")

    def _once(self, url: str, body: bytes, deadline_s: float) -> Answer:
        ask = Ask("POST", url, {**_FORM, **self._sign("POST", url, _FORM, body)}, body, self._most + 1)
        try:
            return exchange(ask, private=self._private, deadline_s=deadline_s, resolve=self._resolve)
        except Forbidden as error:
            hint = "PHOENIX_PRIVATE_PROMETHEUS=true allows private networks" if "a private" in str(error) else ""
            raise Unavailable(f"Prometheus is not asked: {error}", hint=hint) from error
        except TimeoutError as error:
            raise _Failed(f"no answer within {deadline_s:.1f} s") from error
        except FAILURES as error:
            raise _Failed(f"{type(error).__name__}: {error}"[:300]) from error

    def _data(self, answer: Answer) -> Any:
        if len(answer.body) > self._most:
            raise Unavailable(f"Prometheus' answer is larger than {self._most} bytes")
        if answer.status in (401, 403):
            raise Unavailable(
                f"Prometheus refuses the credential ({answer.status}{said(answer.body)})",
                hint="check spec.source.prometheus: credential, or sigv4",
            )
        if answer.status != 200:
            raise Unavailable(f"Prometheus refuses the question ({answer.status}{said(answer.body)})")
        return data_of(answer.body)

    def _pause(self, attempt: int, wait: float | None, until: float) -> None:
        """A second at first, then two, each with a random half; as long as the server asks for; never past the end."""
        backoff = 2.0**attempt * (0.5 + self._patience.chance() / 2)
        left = until - self._patience.now()
        self._patience.sleep(max(0.0, min(left, backoff if wait is None else max(wait, backoff))))


class _Failed(Exception):
    """An attempt that may go better the next time."""


def seconds(milliseconds: int) -> str:
    """Exact: 1500 -> "1.500"."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
