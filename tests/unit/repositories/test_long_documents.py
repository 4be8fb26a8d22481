"""Records of a thousand hosts in items that hold 400 kB: parts, pieces, and who reads while another writes."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import BaseModel

from chalicelib.domain.errors import Conflict, Unavailable
from chalicelib.ports.items import ABSENT, ANY_VERSION, Item, Table
from chalicelib.repositories.packed_documents import PackedDocuments
from chalicelib.repositories.parted_documents import EACH, PartedDocuments
from tests.fakes.items import MemoryItemStore


class Version(BaseModel):
    configs: dict[str, str]


class Long(BaseModel):
    name: str
    note: str = ""
    hosts: tuple[str, ...] = ()
    versions: tuple[Version, ...] = ()


class Puts(MemoryItemStore):
    """Remembers how many items were written."""

    def __init__(self) -> None:
        super().__init__(lambda: 1.0)
        self.puts = 0

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        self.puts += 1
        super().put(item, expected)


def parted(store: MemoryItemStore) -> PartedDocuments[Long]:
    long = (("hosts",), ("versions", EACH, "configs"))
    return PartedDocuments(store, "LONG", Long, lambda v: v.name, long=long, active=lambda tenant, value: "A#1")


def hashes(seed: str, count: int = 9000) -> dict[str, str]:
    return {f"host-{i:05d}": hashlib.sha256(f"{seed}{i}".encode()).hexdigest() for i in range(count)}


def value(*seeds: str) -> Long:
    return Long(name="x", hosts=tuple(hashes("")), versions=tuple(Version(configs=hashes(seed)) for seed in seeds))


def test_what_is_too_long_for_an_item_is_stored_in_parts_and_comes_back() -> None:
    store = MemoryItemStore(lambda: 1.0)
    stored = parted(store).create("t", value("a", "b"))
    assert parted(store).get("t", "x") == stored
    assert [item.sk for item in store.active("A#1").items] == ["x"]


def test_parts_that_are_there_are_not_written_again() -> None:
    store = Puts()
    documents = parted(store)
    documents.create("t", value("a"))
    found = documents.get("t", "x")
    store.puts = 0
    documents.save("t", found.value.model_copy(update={"note": "later"}), found.version)
    assert store.puts == 1
    assert parted(store).get("t", "x").value.note == "later"


def test_a_short_one_is_one_item_and_may_grow() -> None:
    store = Puts()
    documents = parted(store)
    documents.create("t", Long(name="x", hosts=("a",)))
    assert store.puts == 1
    documents.save("t", value("a"), 1)
    assert documents.get("t", "x").value == value("a")


def test_the_loser_of_a_race_changes_nothing() -> None:
    store = MemoryItemStore(lambda: 1.0)
    documents = parted(store)
    documents.create("t", value("a"))
    with pytest.raises(Conflict):
        documents.save("t", value("b"), 7)
    assert parted(store).get("t", "x").value == value("a")


def test_a_removal_takes_the_parts_along_and_the_name_can_be_used_again() -> None:
    store = MemoryItemStore(lambda: 1.0)
    documents = parted(store)
    documents.create("t", value("a"))
    store.transact(documents.removals("t", "x", 1), "gone")
    assert documents.find("t", "x") is None
    assert not store.query(Table.STATE, "T#t#LONG-PART#x").items
    documents.create("t", value("a"))
    assert parted(store).get("t", "x").value == value("a")


def test_a_part_that_vanishes_while_it_is_read_is_said() -> None:
    store = MemoryItemStore(lambda: 1.0)
    parted(store).create("t", value("a"))
    store.delete(Table.STATE, "T#t#LONG-PART#x", store.query(Table.STATE, "T#t#LONG-PART#x").items[0].sk)
    with pytest.raises(Unavailable):
        parted(store).get("t", "x")


def packed(store: MemoryItemStore) -> PackedDocuments[Long]:
    return PackedDocuments(store, "LONG", Long, lambda v: v.name)


def test_pieces_come_back_together_and_go_together() -> None:
    store = MemoryItemStore(lambda: 1.0)
    documents = packed(store)
    writes = documents.writes("t", value("a", "b"), ABSENT)
    assert len(writes) > 2
    store.transact(writes, "first")
    assert documents.get("t", "x").value == value("a", "b")
    store.transact(documents.removals("t", "x"), "gone")
    assert not store.query(Table.STATE, "T#t#LONG").items


def test_a_reader_between_two_writes_never_sees_half_of_each() -> None:
    store = MemoryItemStore(lambda: 1.0)
    documents = packed(store)
    store.transact(documents.writes("t", value("a", "b"), ABSENT), "first")
    (head, *_) = store.query(Table.STATE, "T#t#LONG").items
    store.transact(documents.writes("t", value("c", "d"), ANY_VERSION), "second")
    assert documents._read(head).value == value("c", "d")
    (piece,) = [one.sk for one in store.query(Table.STATE, "T#t#LONG").items if one.sk.endswith("#000")]
    store.delete(Table.STATE, "T#t#LONG", piece)
    with pytest.raises(Unavailable):
        documents.get("t", "x")
