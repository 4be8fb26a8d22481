"""The three PynamoDB models of one store, made by a function: their Meta holds the store's own endpoint and names.

Conditions on versions and expiry are here too; requests and errors are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import ABSENT, ANY_VERSION, Item, Table

ACTIVE_INDEX = "active"


class ItemModel(Model):
    """Attributes of an item; a model of a store inherits it and adds its table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    active = UnicodeAttribute(null=True)
    # A plain number, not PynamoDB's TTLAttribute: that one is a datetime and loses what lies beyond the year 9999.
    expires = NumberAttribute(null=True)
    body = UnicodeAttribute()


@dataclass(frozen=True)
class Access:
    """How to reach DynamoDB. endpoint: None for AWS itself. Seconds and counts bound every request."""

    region: str
    endpoint: str | None
    access_key: str | None
    secret_key: str | None
    session_token: str | None
    connect_seconds: float = 2.0
    read_seconds: float = 5.0
    retries: int = 2
    pool_connections: int = 16


class _DynamoOnly(Connection):
    """A connection that believes DynamoDB alone.

    To botocore a 200 with any body (a proxy's page, say) is an empty answer, so that a write that nobody stored would
    count as acknowledged. PynamoDB asks for the consumed capacity with every data request; only DynamoDB gives it.
    """

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        answer = super().dispatch(operation_name, operation_kwargs)
        if "ReturnConsumedCapacity" in operation_kwargs and "ConsumedCapacity" not in answer:
            raise Unavailable(
                f"what answers at {self.host or self.region} is not DynamoDB", hint="check the endpoint and any proxy"
            )
        return cast("dict[str, Any]", answer)


def _active_index() -> GlobalSecondaryIndex[Any]:
    """Sparse: only items with `active` are in it. Keys and `expires`, so that expired ones are left out on read."""

    class ActiveIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
        class Meta:
            index_name = ACTIVE_INDEX
            projection = IncludeProjection(["expires"])

        active = UnicodeAttribute(hash_key=True)
        pk = UnicodeAttribute(range_key=True)

    return ActiveIndex()


def make_models(access: Access, prefix: str) -> tuple[Connection, dict[Table, type[ItemModel]]]:
    """The models of one store, and the one connection (client and pool) that they share."""
    connection = _DynamoOnly(
        region=access.region,
        host=access.endpoint,
        connect_timeout_seconds=access.connect_seconds,
        read_timeout_seconds=access.read_seconds,
        max_retry_attempts=access.retries,
        max_pool_connections=access.pool_connections,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        aws_session_token=access.session_token,
    )
    models = {table: _model(table, prefix, access) for table in Table}
    for model in models.values():
        own: TableConnection = model._get_connection()
        # PynamoDB gives each model a client of its own; one is enough, and it is made here, in one thread, because
        # making it is not safe in several.
        connection.add_meta_table(own.get_meta_table())
        own.connection = connection
    _ = connection.client
    return connection, models


def _model(table: Table, prefix: str, access: Access) -> type[ItemModel]:
    meta = type(
        "Meta",
        (),
        {
            "table_name": f"{prefix}{table.value}",
            "region": access.region,
            "host": access.endpoint,
            "billing_mode": "PAY_PER_REQUEST",
        },
    )
    members: dict[str, Any] = {"Meta": meta}
    if table is Table.STATE:
        members["active_index"] = _active_index()
    return cast("type[ItemModel]", type(f"{table.value.title()}Model", (ItemModel,), members))


def to_model(model: type[ItemModel], item: Item, text: str) -> ItemModel:
    """The row of an item whose body is `text`."""
    return model(item.pk, item.sk, version=item.version, active=item.active, expires=item.expires, body=text)


def from_row(table: Table, row: dict[str, dict[str, str]], body: dict[str, Any], version: int) -> Item:
    """The item of a raw row (DynamoDB's typed JSON)."""
    expires = row.get("expires")
    return Item(
        table,
        pk=row["pk"]["S"],
        sk=row["sk"]["S"],
        body=body,
        version=version,
        active=row["active"]["S"] if "active" in row else None,
        expires=int(expires["N"]) if expires else None,
    )


def alive(now: float) -> Condition:
    """Not expired at `now`. Expiries are whole seconds, so that `expires > now` is `expires > floor(now)`."""
    condition: Condition = ItemModel.expires.does_not_exist() | (ItemModel.expires > math.floor(now))
    return condition


def expired(now: float) -> Condition:
    """Expired at `now`."""
    return ItemModel.expires <= math.floor(now)


def stored_is(expected: int, now: float) -> Condition | None:
    """The condition of an expected version at `now`; None when anything will do."""
    if expected == ANY_VERSION:
        return None
    absent: Condition = ItemModel.pk.does_not_exist() | expired(now)
    return absent if expected == ABSENT else (ItemModel.version == expected) & alive(now)


def plainly_is(expected: int) -> Condition | None:
    """Like `stored_is` but without the time: it demands that no stored item with `expires` is involved."""
    if expected == ANY_VERSION:
        return None
    absent: Condition = ItemModel.pk.does_not_exist()
    return absent if expected == ABSENT else (ItemModel.version == expected) & ItemModel.expires.does_not_exist()


def sort_range(start: str, end: str) -> Condition | None:
    """start <= sk <= end (inclusive: DynamoDB has no half-open range; the caller drops sk == end)."""
    if start and end:
        return ItemModel.sk.between(start, end)
    if start:
        return ItemModel.sk >= start
    return ItemModel.sk < end if end else None
