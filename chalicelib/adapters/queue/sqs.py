"""The work queue on Amazon SQS (standard queue: at least once, unordered)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Unavailable
from chalicelib.ports.queue import Work, encode

_ENTRIES = 10
"""Messages in one SendMessageBatch request (SQS's limit)."""


class SqsQueue:
    """client: a boto3 SQS client."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, batches: Sequence[Sequence[Work]]) -> None:
        """Ten messages a request. Raises Unavailable when any was not taken."""
        for start in range(0, len(batches), _ENTRIES):
            entries = [
                {"Id": str(number), "MessageBody": encode(batch)}
                for number, batch in enumerate(batches[start : start + _ENTRIES])
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise Unavailable(f"the work queue cannot be reached: {error}") from error
            if answer.get("Failed"):
                raise Unavailable(f"the work queue refused {len(answer['Failed'])} of {len(entries)} messages")
