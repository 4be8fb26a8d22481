"""Transactions on DynamoDB: all or nothing, once per token.

DynamoDB's own idempotency compares the whole request, so a condition that holds the time would make every repetition
another request. Hence two forms. *Plain*: conditions without the time, which fail when an item with `expires` is
involved; nearly every transaction is settled by this one request. *Timed*, only after the plain form failed a
condition: conditions at `now`, plus a record of the token and the writes, by which a repetition is recognised. Both
use the same ClientRequestToken, so that neither can happen after the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.items import limits
from chalicelib.adapters.items.body import fingerprint
from chalicelib.adapters.items.dynamodb_errors import code_of, failed_conditions
from chalicelib.adapters.items.dynamodb_models import ItemModel, plainly_is, stored_is, to_model
from chalicelib.domain.errors import Conflict
from chalicelib.ports.items import ABSENT, MAX_TRANSACT_WRITES, Check, Delete, Item, Put, Table, Write

_RECORD_SECONDS = 601
"""A little over DynamoDB's ten minutes, so that the record outlives the ClientRequestToken."""
_MISMATCH = "IdempotentParameterMismatchException"

Conditions = Callable[[int], Condition | None]


class Transactor:
    """Runs the transactions of one store. retried: runs a request again while other transactions are in its way."""

    def __init__(
        self,
        connection: Connection,
        models: dict[Table, type[ItemModel]],
        now: Callable[[], float],
        retried: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self._connection, self._models, self._now, self._retried = connection, models, now, retried

    def run(self, writes: Sequence[Write], texts: Sequence[str], token: str) -> None:
        """Raises `Conflict`, or PynamoDB's error for the caller to translate."""
        request = self._request_token(token)
        digest = fingerprint(writes, texts)
        try:
            self._send(writes, texts, request, plainly_is)
        except TransactWriteError as e:
            if code_of(e) == _MISMATCH:
                self._settle(request, digest, e)
            elif failed_conditions(e):
                self._run_timed(writes, texts, request, digest)
            else:
                raise

    def _request_token(self, token: str) -> str:
        """36 digits, the longest ClientRequestToken. With the table's name in it: DynamoDB knows tokens by account and
        region, and two stores there must not take each other's for their own."""
        scope = f"{self._models[Table.STATE].Meta.table_name}\n{token}"
        return hashlib.sha256(scope.encode()).hexdigest()[:36]

    def _run_timed(self, writes: Sequence[Write], texts: Sequence[str], request: str, digest: str) -> None:
        now = self._now()
        record = None
        if len(writes) < MAX_TRANSACT_WRITES:
            until = math.floor(now) + _RECORD_SECONDS
            state = self._models[Table.STATE]
            record = to_model(state, Item(Table.STATE, _record_key(request), "token", {}, expires=until), digest)
        try:
            self._send(writes, texts, request, lambda expected: stored_is(expected, now), record)
        except TransactWriteError as e:
            failed = failed_conditions(e)
            if code_of(e) == _MISMATCH or len(writes) in failed:
                self._settle(request, digest, e)
            elif failed:
                raise _conflict(_in_order(writes)[failed[0]]) from e
            else:
                raise

    def _settle(self, request: str, digest: str, cause: TransactWriteError) -> None:
        """The token was used: fine when its record says that it was for these writes."""
        model = self._models[Table.STATE]
        row = (
            model._get_connection().get_item(_record_key(request), range_key="token", consistent_read=True).get("Item")
        )
        if not row or row["body"]["S"] != digest:
            raise Conflict(limits.TOKEN_REUSED, hint=limits.NEW_TOKEN) from cause

    def _send(
        self,
        writes: Sequence[Write],
        texts: Sequence[str],
        request: str,
        conditions: Conditions,
        record: ItemModel | None = None,
    ) -> None:
        def send() -> None:
            with TransactWrite(connection=self._connection, client_request_token=request) as transaction:
                for write, text in zip(writes, texts, strict=True):
                    self._add(transaction, write, text, conditions(write.expected))
                if record is not None:
                    transaction.save(record, condition=conditions(ABSENT))

        self._retried(send)

    def _add(self, transaction: TransactWrite, write: Write, text: str, condition: Condition | None) -> None:
        match write:
            case Put(item=item):
                transaction.save(to_model(self._models[item.table], item, text), condition=condition)
            case Delete(table=table, pk=pk, sk=sk):
                transaction.delete(self._models[table](pk, sk), condition=condition)
            case Check(table=table, pk=pk, sk=sk):
                transaction.condition_check(self._models[table], pk, sk, condition=condition)


def _record_key(request: str) -> str:
    return f"transaction#{request}"


def _in_order(writes: Sequence[Write]) -> list[Write]:
    """The order in which PynamoDB sends them, and in which DynamoDB gives its reasons."""
    return [w for kind in (Check, Delete, Put) for w in writes if isinstance(w, kind)]


def _conflict(write: Write) -> Conflict:
    return Conflict(limits.conflict_detail(*limits.key_of(write), write.expected), hint=limits.READ_AGAIN)
