"""The item store on DynamoDB through PynamoDB: three tables, version conditions, idempotent transactions.

Models and conditions are in dynamodb_models.py, errors in dynamodb_errors.py, rules all engines share in limits.py.
Bodies are JSON text in one attribute: exact and cheap. Reads are consistent, but for the index. TTL deletion is never
relied upon: every read filters by `expires`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.connection import TableConnection
from pynamodb.exceptions import PynamoDBException

from chalicelib.adapters.items import cursor as cursors
from chalicelib.adapters.items import limits
from chalicelib.adapters.items.body import load
from chalicelib.adapters.items.dynamodb_errors import code_of, is_busy, translated
from chalicelib.adapters.items.dynamodb_models import (
    ACTIVE_INDEX,
    Access,
    ItemModel,
    alive,
    expired,
    from_row,
    make_models,
    sort_range,
    stored_is,
    to_model,
)
from chalicelib.adapters.items.dynamodb_transact import Transactor
from chalicelib.domain.errors import InvalidInput, Unavailable
from chalicelib.ports.items import ANY_VERSION, Item, Page, Table, Write

_SWEEP_SECONDS = 30.0
_CREATE_SECONDS = 60.0
_BUSY_TRIES = 4
_BUSY_PAUSE = 0.05


class DynamoItemStore:
    """`ItemStore` on DynamoDB, safe to share between threads.

    now: Unix seconds. endpoint: URL, None for AWS itself. region: AWS region. access_key, secret_key, session_token:
    credentials; without them the usual chain of AWS is asked, but on an http:// endpoint (a local engine) dummies are
    used. prefix: of the table names. Each request ends within (retries + 1) × (connect_seconds + read_seconds) plus
    the pauses between tries.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        prefix: str = "phoenix-",
        connect_seconds: float = 2.0,
        read_seconds: float = 5.0,
        retries: int = 2,
        pool_connections: int = 16,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if access_key is None and endpoint is not None and endpoint.startswith("http://"):
            access_key = secret_key = "local"
        access = Access(
            region,
            endpoint,
            access_key,
            secret_key,
            session_token,
            connect_seconds=connect_seconds,
            read_seconds=read_seconds,
            retries=retries,
            pool_connections=max(16, pool_connections),
        )
        self._now, self._sleep = now, sleep
        self.endpoint, self.prefix = endpoint, prefix
        self._where = endpoint or region
        with translated(self._where):
            try:
                self._connection, self._models = make_models(access, prefix)
            except ValueError as e:  # botocore's, for an endpoint or a region that cannot be one
                raise InvalidInput(f"DynamoDB at {self._where}: {e}", hint="give an http(s) URL and a region") from e
        self._transactor = Transactor(self._connection, self._models, now, self._retried)

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        limits.check_key(pk, sk)
        with translated(self._where):
            answer = self._table(table).get_item(pk, range_key=sk, consistent_read=True)
        row = answer.get("Item")
        if not row:
            return None
        item = _item(table, row)
        return None if item.expires is not None and item.expires <= self._now() else item

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        text = limits.check_item(item)
        row = to_model(self._models[item.table], item, text)
        condition = stored_is(expected, self._now())
        with translated(self._where, limits.conflict_detail(item.table.value, item.pk, item.sk, expected)):
            self._retried(lambda: row.save(condition=condition))

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        limits.check_key(pk, sk)
        condition = stored_is(expected, self._now())
        with translated(self._where, limits.conflict_detail(table.value, pk, sk, expected)):
            self._retried(lambda: self._table(table).delete_item(pk, range_key=sk, condition=condition))

    def query(
        self,
        table: Table,
        pk: str,
        *,
        start: str = "",
        end: str = "",
        limit: int = 100,
        cursor: str | None = None,
        reverse: bool = False,
    ) -> Page:
        limits.check_query(pk, start, end, limit)
        scope = cursors.query_scope(table.value, pk, start, end, reverse)
        after = _key(pk, cursors.decode(scope, cursor, 1)[0]) if cursor is not None else None
        if end and start.encode() >= end.encode():  # DynamoDB refuses an empty range
            return Page()
        with translated(self._where):
            answer = self._table(table).query(
                pk,
                range_key_condition=sort_range(start, end),
                filter_condition=alive(self._now()),
                exclusive_start_key=after,
                consistent_read=True,
                limit=limit,
                scan_index_forward=not reverse,
            )
        items = tuple(_item(table, row) for row in answer["Items"] if not end or row["sk"]["S"] != end)
        last = answer.get("LastEvaluatedKey")
        return Page(items, cursors.encode(scope, [last["sk"]["S"]]) if last else None)

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        limits.check_text("active", shard)
        limits.check_limit(limit)
        scope = cursors.active_scope(shard)
        after = None
        if cursor is not None:
            after = _key(*cursors.decode(scope, cursor, 2)) | {"active": {"S": shard}}
        with translated(self._where):
            answer = self._table(Table.STATE).query(
                shard,
                index_name=ACTIVE_INDEX,
                filter_condition=alive(self._now()),
                exclusive_start_key=after,
                limit=limit,
            )
        items = tuple(from_row(Table.STATE, row, body={}, version=0) for row in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        return Page(items, cursors.encode(scope, [last["pk"]["S"], last["sk"]["S"]]) if last else None)

    def transact(self, writes: Sequence[Write], token: str) -> None:
        texts = limits.check_writes(writes, token)
        with translated(self._where, f"an expected version of {len(writes)} writes does not hold"):
            self._transactor.run(writes, texts, token)

    def sweep(self, limit: int = 1000) -> int:
        """Scans: for local engines, which delete nothing by themselves. On AWS the tables' TTL does this work."""
        deadline = time.monotonic() + _SWEEP_SECONDS
        swept = 0
        with translated(self._where):
            for table in Table:
                swept += self._sweep(table, deadline, limit - swept)
        return swept

    def create_tables(self) -> None:
        """Make the missing tables and their TTL: for local endpoints; on AWS the infrastructure makes them."""
        with translated(self._where):
            for model in self._models.values():
                self._create(model)

    def close(self) -> None:
        """Close the connections to DynamoDB."""
        self._connection.client.close()

    def _table(self, table: Table) -> TableConnection:
        return self._models[table]._get_connection()

    def _retried(self, request: Callable[[], Any]) -> Any:
        """The request's answer; once more, a few times, while another transaction holds one of its items."""
        for attempt in range(1, _BUSY_TRIES):
            try:
                return request()
            except PynamoDBException as e:
                if not is_busy(e):
                    raise
                self._sleep(_BUSY_PAUSE * attempt)
        return request()

    def _sweep(self, table: Table, deadline: float, limit: int) -> int:
        now = self._now()
        swept, after = 0, None
        while swept < limit and time.monotonic() < deadline:
            answer = self._table(table).scan(
                filter_condition=expired(now), attributes_to_get=["pk", "sk"], exclusive_start_key=after
            )
            for row in answer["Items"][: limit - swept]:
                swept += self._sweep_one(table, row["pk"]["S"], row["sk"]["S"], now)
            after = answer.get("LastEvaluatedKey")
            if after is None:
                break
        return swept

    def _sweep_one(self, table: Table, pk: str, sk: str, now: float) -> int:
        """1 when the item was deleted, 0 when it was written anew since the scan."""
        try:
            self._table(table).delete_item(pk, range_key=sk, condition=expired(now))
        except PynamoDBException as e:
            if code_of(e) != "ConditionalCheckFailedException":
                raise
            return 0
        return 1

    def _create(self, model: type[ItemModel]) -> None:
        if model.exists():
            return
        model.create_table()
        deadline = time.monotonic() + _CREATE_SECONDS
        while model.describe_table()["TableStatus"] != "ACTIVE":
            if time.monotonic() > deadline:
                raise Unavailable(f"DynamoDB at {self._where}: a new table is not ready after {_CREATE_SECONDS} s")
            self._sleep(0.2)
        model._get_connection().update_time_to_live("expires")


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(table: Table, row: dict[str, dict[str, str]]) -> Item:
    return from_row(table, row, body=load(row["body"]["S"]), version=int(row["version"]["N"]))
