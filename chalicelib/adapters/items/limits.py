"""The rules of the item store port that every engine checks alike, before it is asked: keys, versions, sizes, pages.

No engine and no clock here: an engine calls these first, so that a bad request fails the same way on each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.adapters.items.body import dump
from chalicelib.domain.errors import InvalidInput, Problem, TooLarge
from chalicelib.ports.items import (
    ABSENT,
    ANY_VERSION,
    MAX_ITEM_BYTES,
    MAX_TRANSACT_BYTES,
    MAX_TRANSACT_WRITES,
    Check,
    Item,
    Put,
    Write,
)

MAX_KEY_BYTES = 1024
MAX_PAGE_ITEMS = 1000
MAX_PAGE_BYTES = 1_000_000
"""Bodies in one page; DynamoDB ends its pages there, so the other engines do too."""
MAX_INTEGER = 2**63 - 1
"""Versions and expiries are kept as 64-bit integers by SQLite."""
MAX_TOKEN_BYTES = 1024


def _invalid(pointer: str, rule: str, fix: str) -> InvalidInput:
    return InvalidInput(f"item store: {pointer or 'request'} {rule}", problems=(Problem(pointer, rule, fix),), hint=fix)


def check_text(name: str, text: str, longest: int = MAX_KEY_BYTES, *, empty: bool = False) -> int:
    """Length of a key in UTF-8 bytes; raises `InvalidInput` when it is empty, too long or not encodable."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as e:
        raise _invalid(name, "holds a lone surrogate, which has no UTF-8 form", "replace the character") from e
    if not size and not empty:
        raise _invalid(name, "is empty", "give a non-empty text")
    if size > longest:
        raise _invalid(name, f"has {size} bytes, over the limit of {longest}", "shorten it")
    return size


def check_key(pk: str, sk: str) -> int:
    """Bytes of both keys; raises `InvalidInput`."""
    return check_text("pk", pk) + check_text("sk", sk)


def check_expected(expected: int) -> None:
    """Raises `InvalidInput` unless `expected` is ABSENT, ANY_VERSION or a version."""
    if not ANY_VERSION <= expected <= MAX_INTEGER:
        raise _invalid("expected", f"is {expected}", "use ABSENT, ANY_VERSION or a stored version")


def check_limit(limit: int) -> None:
    """Raises `InvalidInput` unless 1 <= limit <= 1000."""
    if not 1 <= limit <= MAX_PAGE_ITEMS:
        raise _invalid("limit", f"is {limit}", f"use 1 to {MAX_PAGE_ITEMS}")


def check_query(pk: str, start: str, end: str, limit: int) -> None:
    """Raises `InvalidInput` for a query that no engine may run."""
    check_text("pk", pk)
    check_text("start", start, empty=True)
    check_text("end", end, empty=True)
    check_limit(limit)


def check_item(item: Item) -> str:
    """The body's JSON text of an item that may be stored; raises `InvalidInput` or `TooLarge`."""
    keys = check_key(item.pk, item.sk)
    if not 1 <= item.version <= MAX_INTEGER:
        raise _invalid("version", f"is {item.version}", "count from 1")
    if item.active is not None:
        check_text("active", item.active)
    if item.expires is not None and not 0 <= item.expires <= MAX_INTEGER:
        raise _invalid("expires", f"is {item.expires}", "give Unix seconds")
    text = dump(item.body)
    size = keys + len(text.encode())
    if size > MAX_ITEM_BYTES:
        raise TooLarge(
            f"item store: item {item.sk!r} of {item.table} has {size} bytes, over the limit of {MAX_ITEM_BYTES}",
            hint="store less in one item, or split it",
        )
    return text


def check_writes(writes: Sequence[Write], token: str) -> list[str]:
    """The body texts ("" for a write without one) of a transaction that may run; `InvalidInput` or `TooLarge`."""
    check_text("token", token, MAX_TOKEN_BYTES)
    if not writes:
        raise _invalid("writes", "are empty", "leave out a transaction that writes nothing")
    if len(writes) > MAX_TRANSACT_WRITES:
        raise TooLarge(
            f"item store: {len(writes)} writes in one transaction, over the limit of {MAX_TRANSACT_WRITES}",
            hint="split the work",
        )
    texts = [_check_write(w) for w in writes]
    _check_distinct(writes)
    size = sum(len(t.encode()) for t in texts)
    if size > MAX_TRANSACT_BYTES:
        raise TooLarge(
            f"item store: bodies of {size} bytes in one transaction, over the limit of {MAX_TRANSACT_BYTES}",
            hint="split the work",
        )
    return texts


def _check_write(write: Write) -> str:
    check_expected(write.expected)
    if isinstance(write, Put):
        return check_item(write.item)
    check_key(write.pk, write.sk)
    if isinstance(write, Check) and write.expected == ANY_VERSION:
        raise _invalid("expected", "of a Check accepts anything", "leave the Check out, or give a version")
    return ""


def _check_distinct(writes: Sequence[Write]) -> None:
    seen = set()
    for write in writes:
        key = key_of(write)
        if key in seen:
            raise _invalid("writes", f"name the key {key[1:]} of {key[0]} twice", "one write a key")
        seen.add(key)


def key_of(write: Write) -> tuple[str, str, str]:
    """(table, pk, sk) of a write."""
    target = write.item if isinstance(write, Put) else write
    return target.table.value, target.pk, target.sk


def holds(stored: int | None, expected: int) -> bool:
    """Whether a stored version (None: absent or expired) meets the expected one."""
    if expected == ANY_VERSION:
        return True
    return stored is None if expected == ABSENT else stored == expected


def conflict_detail(table: str, pk: str, sk: str, expected: int) -> str:
    """What went wrong, for a `Conflict`. Keys are shown quoted: they may hold text from outside."""
    wanted = "is there already" if expected == ABSENT else f"is not at version {expected} any more"
    return f"item {pk!r} {sk!r} of {table} {wanted}"


READ_AGAIN = "read the item again and decide anew"
TOKEN_REUSED = "the token of this transaction was used for other writes within ten minutes"
NEW_TOKEN = "derive the token from the thing and its version, so that other writes have another token"
