"""The item store port on every engine: one item at a time, expected versions, limits, texts and numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.errors import Conflict, InvalidInput, TooLarge
from chalicelib.ports.items import ABSENT, ANY_VERSION, MAX_ITEM_BYTES, Item, ItemStore, Table

ITEM = Item(Table.STATE, "T#a#experiment", "e-1", {"name": "one"})


def test_what_was_put_is_got_until_it_is_deleted(store: ItemStore) -> None:
    item = replace(ITEM, version=7, active="A#3", expires=1_900_000_000)
    store.put(item)
    assert store.get(item.table, item.pk, item.sk) == item
    store.delete(item.table, item.pk, item.sk)
    assert store.get(item.table, item.pk, item.sk) is None


def test_an_unknown_key_is_none_and_may_be_deleted(store: ItemStore) -> None:
    assert store.get(Table.STATE, "no", "such") is None
    store.delete(Table.STATE, "no", "such")
    store.delete(Table.STATE, "no", "such", ABSENT)


def test_put_replaces_the_whole_item(store: ItemStore) -> None:
    store.put(replace(ITEM, body={"a": 1, "b": 2}, active="A#1", expires=1_900_000_000))
    store.put(replace(ITEM, body={"a": 3}))
    assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == replace(ITEM, body={"a": 3})


@pytest.mark.parametrize("table", Table)
def test_tables_are_apart(store: ItemStore, table: Table) -> None:
    store.put(replace(ITEM, table=table))
    assert [t for t in Table if store.get(t, ITEM.pk, ITEM.sk) is not None] == [table]


@pytest.mark.parametrize(
    ("stored", "expected", "fine"),
    [
        (None, ANY_VERSION, True),
        (None, ABSENT, True),
        (None, 1, False),
        (3, ANY_VERSION, True),
        (3, ABSENT, False),
        (3, 3, True),
        (3, 2, False),
        (3, 4, False),
    ],
)
def test_expected_versions(store: ItemStore, stored: int | None, expected: int, fine: bool) -> None:
    before = replace(ITEM, version=stored or 1)
    after = replace(ITEM, version=9, body={"name": "new"})
    for write, left in ((lambda: store.put(after, expected), after), (lambda: _delete(store, expected), None)):
        store.delete(ITEM.table, ITEM.pk, ITEM.sk)
        if stored is not None:
            store.put(before)
        if fine:
            write()
            assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == left
        else:
            with pytest.raises(Conflict, match="e-1"):
                write()
            assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == (before if stored is not None else None)


def _delete(store: ItemStore, expected: int) -> None:
    store.delete(ITEM.table, ITEM.pk, ITEM.sk, expected)


def test_the_largest_item_fits_to_the_byte(store: ItemStore) -> None:
    overhead = len(ITEM.pk) + len(ITEM.sk) + len('{"x":""}')
    whole = replace(ITEM, body={"x": "y" * (MAX_ITEM_BYTES - overhead)})
    store.put(whole)
    assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == whole
    with pytest.raises(TooLarge, match="400001 bytes"):
        store.put(replace(ITEM, body={"x": "y" * (MAX_ITEM_BYTES - overhead + 1)}))
    assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == whole


def test_size_counts_utf8_bytes_and_the_longest_keys(store: ItemStore) -> None:
    item = Item(Table.STATE, "é" * 512, "s" * 1024, {"x": "😀" * ((MAX_ITEM_BYTES - 2048 - 8) // 4)}, active="a" * 1024)
    store.put(item)
    assert store.get(Table.STATE, item.pk, item.sk) == item
    with pytest.raises(TooLarge):
        store.put(replace(item, body={"x": "😀" * ((MAX_ITEM_BYTES - 2048 - 8) // 4 + 1)}))


TEXTS = [
    "plain",
    "é ü 漢字",
    "😀👩‍🚀",
    "'; DROP TABLE state; --",
    'quote " backslash \\',
    "nul\x00inside",
    "\x00",
    "  ",
    "\n\t",
    "%_*",
]


def test_any_text_is_a_key_and_a_value(store: ItemStore) -> None:
    for text in TEXTS:
        any_text(store, text)


def any_text(store: ItemStore, text: str) -> None:
    item = Item(Table.STATE, text, text, {text: [text, {"in": text}]}, active=text)
    store.put(item)
    assert store.get(Table.STATE, text, text) == item
    assert list(store.query(Table.STATE, text).items) == [item]
    assert [i.pk for i in store.active(text).items] == [text]
    store.put(replace(item, version=2), expected=1)
    store.delete(Table.STATE, text, text, expected=2)
    assert store.get(Table.STATE, text, text) is None


def test_keys_that_differ_after_nul_or_in_case_or_in_form_are_different(store: ItemStore) -> None:
    keys = ["a", "a\x00", "a\x00b", "A", "é", "e\u0301"]
    for n, key in enumerate(keys):
        store.put(Item(Table.STATE, "p", key, {"n": n}), ABSENT)
    assert [store.get(Table.STATE, "p", k).body["n"] for k in keys] == list(range(len(keys)))


VALUES = [
    0, -1, 2**53, 2**53 + 1, -(2**63), 2**64, 10**300, 0.1, 0.1 + 0.2, 1e-308, 5e-324, 1.7976931348623157e308, -0.5,
    1.0, True, False, None, "", [], {}, {"": ""}, [[[[]]], {"a": [None, {"b": [1.5, True]}]}], "1", "true",
]  # fmt: skip


def test_values_come_back_exact_and_of_their_type(store: ItemStore) -> None:
    for value in VALUES:
        store.put(replace(ITEM, body={"v": value}))
        found = store.get(ITEM.table, ITEM.pk, ITEM.sk).body["v"]
        assert (found, type(found)) == (value, type(value))


def test_deep_bodies_and_their_order_come_back(store: ItemStore) -> None:
    body: dict = {"z": 1, "a": 2, "m": 3}
    for _ in range(60):  # deeper than the 32 levels of a DynamoDB document
        body = {"in": [body], "b": 1}
    store.put(replace(ITEM, body=body))
    assert repr(store.get(ITEM.table, ITEM.pk, ITEM.sk).body) == repr(body)


def test_what_json_cannot_hold_is_refused(store: ItemStore) -> None:
    for value in (float("nan"), float("inf"), {1, 2}, b"bytes", object(), "\ud800", 10**5000):
        with pytest.raises(InvalidInput, match="body"):
            store.put(replace(ITEM, body={"v": value}))
    assert store.get(ITEM.table, ITEM.pk, ITEM.sk) is None


def test_empty_over_long_and_broken_keys_are_refused(store: ItemStore) -> None:
    for key in ("", "k" * 1025, "é" * 513, "\ud800"):
        refused_key(store, key)


def refused_key(store: ItemStore, key: str) -> None:
    for pk, sk in ((key, "s"), ("p", key)):
        with pytest.raises(InvalidInput):
            store.put(Item(Table.STATE, pk, sk, {}))
        with pytest.raises(InvalidInput):
            store.get(Table.STATE, pk, sk)
        with pytest.raises(InvalidInput):
            store.delete(Table.STATE, pk, sk)
    with pytest.raises(InvalidInput):
        store.put(replace(ITEM, active=key))
    with pytest.raises(InvalidInput):
        store.query(Table.STATE, key)
    with pytest.raises(InvalidInput):
        store.active(key)


def test_numbers_out_of_bounds_are_refused(store: ItemStore) -> None:
    for change in ({"version": 0}, {"version": -1}, {"version": 2**63}, {"expires": -1}, {"expires": 2**63}):
        with pytest.raises(InvalidInput):
            store.put(replace(ITEM, **change))


def test_an_expected_version_that_cannot_be_is_refused(store: ItemStore) -> None:
    for expected in (-2, 2**63):
        with pytest.raises(InvalidInput):
            store.put(ITEM, expected)
        with pytest.raises(InvalidInput):
            store.delete(ITEM.table, ITEM.pk, ITEM.sk, expected)


def test_the_largest_version_and_expiry_are_exact(store: ItemStore) -> None:
    item = replace(ITEM, version=2**63 - 1, expires=2**63 - 1)
    store.put(item)
    assert store.get(ITEM.table, ITEM.pk, ITEM.sk) == item
    store.put(replace(item, version=1), expected=2**63 - 1)
