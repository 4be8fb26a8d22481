"""What every work queue keeps to: each piece of work arrives, in batches of any size; a failure is nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.adapters.queue.inline import InlineQueue
from chalicelib.adapters.queue.sqs import SqsQueue
from chalicelib.domain.errors import Unavailable
from chalicelib.jobs.step import Step
from chalicelib.ports.queue import Work, WorkQueue, decode, encode


class FakeSqs:
    """The one call of SQS that is used, with its limit of ten messages."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.refuse = 0
        self.away = False

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        if self.away:
            raise EndpointConnectionError(endpoint_url=QueueUrl)
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.bodies += [entry["MessageBody"] for entry in Entries]
        return {"Failed": [{"Id": "0"}] * self.refuse} if self.refuse else {"Successful": []}


def works(count: int) -> list[Work]:
    return [Work(kind="EXPERIMENT", tenant="t", name=f"e{number}") for number in range(count)]


@pytest.mark.parametrize("batches", [1, 9, 10, 11, 35])
@pytest.mark.parametrize("kind", ["inline", "sqs"])
def test_all_work_arrives(kind: str, batches: int) -> None:
    taken: list[Work] = []
    sent = [works(25) for _ in range(batches)]
    sqs = FakeSqs()
    queue: WorkQueue
    if kind == "inline":
        inline = InlineQueue()
        inline.worker = taken.extend
        queue = inline
    else:
        queue = SqsQueue(sqs, "https://queue")
    queue.send(sent)
    for body in sqs.bodies:
        taken.extend(decode(body))
    assert taken == [work for batch in sent for work in batch]


def test_a_message_survives_its_text() -> None:
    assert decode(encode(works(25))) == works(25)
    assert len(encode(works(25))) < 256 * 1024


def test_a_queue_out_of_reach_or_a_refusal_is_unavailable() -> None:
    sqs = FakeSqs()
    sqs.refuse = 1
    with pytest.raises(Unavailable, match="refused 1 of 1"):
        SqsQueue(sqs, "https://queue").send([works(1)])
    sqs.away = True
    with pytest.raises(Unavailable, match="cannot be reached"):
        SqsQueue(sqs, "https://queue").send([works(1)])


def test_one_failed_step_is_named_and_stops_no_other() -> None:
    done: list[str] = []

    def step(tenant: str, name: str) -> None:
        if name == "e1":
            raise Unavailable("the store is away")
        done.append(name)

    failed = Step({"EXPERIMENT": step})([*works(3), Work(kind="UNKNOWN", tenant="t", name="x")])
    assert ([work.name for work in failed], done) == (["e1"], ["e0", "e2"])
