"""DynamoDB as an item store: errors no healthy engine gives (an endpoint that is scripted, or not there), set-up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.domain.errors import Conflict, InvalidInput, PhoenixError, TooLarge, Unavailable
from chalicelib.ports.items import ABSENT, Delete, Item, Put, Table
from tests.contract.conftest import SetClock

ITEM = Item(Table.STATE, "p", "s", {})


@contextmanager
def scripted(answers: list[tuple[int, Any]]) -> Iterator[tuple[str, list[str]]]:
    """An endpoint that gives these answers in turn, the last one for ever; and the operations that were asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.headers["x-amz-target"].partition(".")[2])
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def error(code: str, message: str = "words", **more: object) -> tuple[int, dict[str, object]]:
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **more}


def cancelled(*codes: str, message: str = "words") -> tuple[int, dict[str, object]]:
    reasons = [{"Code": c, "Message": message} for c in codes]
    return error("TransactionCanceledException", CancellationReasons=reasons)


def at(endpoint: str, **options: Any) -> DynamoItemStore:
    return DynamoItemStore(SetClock(), endpoint=endpoint, retries=0, sleep=lambda _: None, **options)


def raised(answers: list[tuple[int, Any]], call: Callable[[DynamoItemStore], object]) -> tuple[PhoenixError, list[str]]:
    with scripted(answers) as (endpoint, asked):
        store = at(endpoint)
        with pytest.raises(PhoenixError) as caught:
            call(store)
        store.close()
    return caught.value, asked


CALLS: dict[str, Callable[[DynamoItemStore], object]] = {
    "get": lambda s: s.get(Table.STATE, "p", "s"),
    "put": lambda s: s.put(ITEM, ABSENT),
    "delete": lambda s: s.delete(Table.STATE, "p", "s", 1),
    "query": lambda s: s.query(Table.STATE, "p"),
    "active": lambda s: s.active("A#1"),
    "transact": lambda s: s.transact([Put(ITEM)], "t"),
    "sweep": lambda s: s.sweep(),
}
ANSWERS: list[tuple[tuple[int, Any], type[PhoenixError], str]] = [
    (error("ResourceNotFoundException"), Unavailable, "ResourceNotFound"),
    (error("ProvisionedThroughputExceededException"), Unavailable, "Throughput"),
    (error("ThrottlingException"), Unavailable, "Throttling"),
    (error("AccessDeniedException", "not you"), Unavailable, "not you"),
    (error("UnrecognizedClientException"), Unavailable, "UnrecognizedClient"),
    (error("ValidationException", "Item size has exceeded the maximum allowed size"), TooLarge, "size"),
    (error("ValidationException", "The provided starting key is invalid"), InvalidInput, "starting key"),
    ((500, {"__type": "InternalServerError", "message": "oh"}), Unavailable, "InternalServerError"),
    ((503, b"<html>no json</html>"), Unavailable, ""),
    ((200, b"<html>no json</html>"), Unavailable, "is not DynamoDB"),
    ((200, {}), Unavailable, "is not DynamoDB"),
]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_errors_of_the_engine_become_ours(call: Callable[[DynamoItemStore], object]) -> None:
    with scripted([answer for answer, _, _ in ANSWERS]) as (endpoint, _):
        store = at(endpoint)
        for answer, kind, text in ANSWERS:
            with pytest.raises(PhoenixError) as caught:
                call(store)
            assert type(caught.value) is kind, (answer, caught.value)
            assert text in caught.value.detail
            assert caught.value.hint
        store.close()


def test_a_conflict_with_another_transaction_is_tried_again_a_few_times() -> None:
    """TransactionConflict: real DynamoDB gives it, local engines do not."""
    fine: tuple[int, Any] = (200, {"ConsumedCapacity": {}})
    with scripted([cancelled("None", "TransactionConflict"), error("TransactionInProgressException"), fine]) as (
        url,
        asked,
    ):
        at(url).transact([Put(ITEM), Delete(Table.STATE, "p", "x")], "t")
    assert asked == ["TransactWriteItems"] * 3
    with scripted([error("TransactionConflictException"), fine]) as (url, asked):
        at(url).put(ITEM)
    assert asked == ["PutItem"] * 2
    got, asked = raised([cancelled("TransactionConflict")], CALLS["transact"])
    assert (type(got), len(asked)) == (Unavailable, 4)


def test_throttled_and_oversize_transactions_are_told_apart_from_conflicts() -> None:
    got, _ = raised([cancelled("None", "ThrottlingError")], CALLS["transact"])
    assert type(got) is Unavailable
    oversize = cancelled("ValidationError", message="Item size to update has exceeded the maximum allowed size")
    got, _ = raised([oversize], CALLS["transact"])
    assert type(got) is TooLarge


def test_a_failed_condition_is_asked_again_with_the_time_and_then_a_conflict() -> None:
    got, asked = raised([cancelled("ConditionalCheckFailed")], CALLS["transact"])
    assert (type(got), asked) == (Conflict, ["TransactWriteItems"] * 2)


def test_an_endpoint_that_is_not_there_or_hangs_is_unavailable_by_the_deadline() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1.*cannot be reached"):
            CALLS["get"](at(url))  # bound, but nobody listens
        listening.listen()
        with pytest.raises(Unavailable, match="cannot be reached"):
            CALLS["put"](at(url, read_seconds=0.3))  # listens, but never answers
        assert time.monotonic() - started < 60


def test_a_missing_region_table_or_name_is_said(dynoxide_endpoint: str, clock: SetClock) -> None:
    store = DynamoItemStore(clock, endpoint=dynoxide_endpoint, prefix="never-made-")
    for call in CALLS.values():
        with pytest.raises(Unavailable, match="ResourceNotFound") as caught:
            call(store)
        assert "tables" in caught.value.hint
    store.close()
    with pytest.raises(InvalidInput, match="no url at all"):
        DynamoItemStore(clock, endpoint="no url at all")


def test_making_the_tables_twice_is_fine_and_sets_what_aws_needs(
    make_dynamo: Callable[..., DynamoItemStore], clock: SetClock
) -> None:
    store = make_dynamo(clock)
    store.put(ITEM)
    store.create_tables()
    assert store.get(Table.STATE, "p", "s") == ITEM


def test_prefixes_keep_stores_apart(make_dynamo: Callable[..., DynamoItemStore], clock: SetClock) -> None:
    first, second = make_dynamo(clock), make_dynamo(clock)
    first.put(ITEM)
    assert second.get(Table.STATE, "p", "s") is None
