"""Caches: what a watch tells is kept, whom it concerns is said, and a reply never stands over newer news."""

from __future__ import annotations

from typing import Any

import pytest

from operators.engine.caches import Cache, Caches
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, POD, Key
from operators.engine.reconciler import Watched

OWNER = "phoenix.io/pipeline"
CHILDREN = Watched(DAEMON_SET, OWNER, OWNER)


def thing(name: str, version: int, owner: str = "", **more: Any) -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": "n",
        "resourceVersion": str(version),
        "labels": {OWNER: owner} if owner else {},
    }
    return {"metadata": metadata, **more}


def names(things: list[Any]) -> list[str]:
    return [one["metadata"]["name"] for one in things]


def test_a_child_is_found_by_its_owner_and_its_change_concerns_the_owner() -> None:
    cache = Cache(CHILDREN)
    assert cache.changed(thing("a", 1, "boss")).concerned == {Key("n", "boss")}
    assert cache.changed(thing("b", 2, "boss")).concerned == {Key("n", "boss")}
    assert names(cache.owned(Key("n", "boss"))) == ["a", "b"]
    assert cache.deleted(thing("a", 3, "boss")).concerned == {Key("n", "boss")}
    assert names(cache.owned(Key("n", "boss"))) == ["b"]


def test_a_child_that_changes_hands_concerns_both() -> None:
    cache = Cache(CHILDREN)
    cache.changed(thing("a", 1, "old"))
    assert cache.changed(thing("a", 2, "new")).concerned == {Key("n", "old"), Key("n", "new")}
    assert cache.owned(Key("n", "old")) == []


def test_older_news_than_what_is_held_changes_nothing() -> None:
    cache = Cache(Watched(DAEMON_SET))
    cache.changed(thing("a", 5, spec=5))
    cache.changed(thing("a", 4, spec=4))
    cache.deleted(thing("a", 4))
    found = cache.get(Key("n", "a"))
    assert found is not None
    assert found["spec"] == 5


def test_a_reply_is_kept_until_the_watch_has_come_so_far_and_not_afterwards() -> None:
    cache = Cache(Watched(DAEMON_SET))
    cache.seen("", "10")
    cache.replied(thing("a", 12, spec="reply"))
    assert cache.get(Key("n", "a")) is not None
    cache.changed(thing("a", 14, spec="newer"))
    cache.seen("", "14")
    cache.replied(thing("a", 13, spec="late reply"))
    found = cache.get(Key("n", "a"))
    assert found is not None
    assert found["spec"] == "newer"


def test_a_late_reply_does_not_bring_back_what_was_deleted() -> None:
    cache = Cache(Watched(DAEMON_SET))
    cache.changed(thing("a", 5))
    cache.deleted(thing("a", 7))
    cache.seen("", "7")
    cache.replied(thing("a", 6))
    assert cache.get(Key("n", "a")) is None


def test_the_watch_telling_ones_own_write_is_no_news_for_the_writer_and_news_for_others() -> None:
    cache = Cache(CHILDREN)
    boss = frozenset([Key("n", "boss")])
    cache.replied(thing("a", 5, "boss"), "writer")
    told = cache.changed(thing("a", 5, "boss"))
    assert (told.concerned, told.but) == (boss, "writer")
    again = cache.changed(thing("a", 5, "boss"))
    assert (again.concerned, again.but) == (boss, ""), "told once: a new list is told to everybody"
    cache.replied(thing("a", 6, "boss"), "writer")
    other = cache.changed(thing("a", 7, "boss", spec="somebody else's"))
    assert (other.concerned, other.but) == (boss, "")


def test_a_watch_that_was_faster_than_the_reply_is_news() -> None:
    cache = Cache(CHILDREN)
    assert cache.changed(thing("a", 5, "boss")).but == ""
    cache.seen("", "5")
    cache.replied(thing("a", 5, "boss"), "writer")
    assert cache.changed(thing("a", 6, "boss")).but == ""


def test_what_was_deleted_at_our_word_is_gone_at_once_and_its_end_is_no_news() -> None:
    cache = Cache(CHILDREN)
    for name in "ab":
        one = thing(name, 5, "boss")
        one["metadata"]["uid"] = f"uid-{name}"
        cache.changed(one)
    cache.gone(Key("n", "a"), "uid-a")
    cache.gone(Key("n", "b"), "another one's")
    assert names(cache.owned(Key("n", "boss"))) == ["b"]
    assert not cache.deleted(thing("a", 6, "boss")).concerned
    assert cache.deleted(thing("b", 7, "boss")).concerned == {Key("n", "boss")}
    assert cache.changed(thing("a", 8, "boss", held="by a finalizer")).concerned == {Key("n", "boss")}
    assert cache.holds(Key("n", "a"))


def test_a_new_list_forgets_what_is_gone_but_not_what_was_written_since() -> None:
    cache = Cache(CHILDREN)
    cache.changed(thing("kept", 1, "x"))
    cache.changed(thing("gone", 2, "y"))
    cache.seen("", "3")
    cache.replied(thing("written", 9, "z"))
    assert cache.listed("", {Key("n", "kept")}, "8").concerned == {Key("n", "y")}
    assert sorted(cache.keys()) == [Key("n", "kept"), Key("n", "written")]


def test_a_list_of_one_namespace_leaves_the_others() -> None:
    cache = Cache(Watched(CONFIG_MAP))
    other = thing("a", 1)
    other["metadata"]["namespace"] = "m"
    cache.changed(other)
    cache.listed("m", {Key("m", "a")}, "2")
    cache.listed("n", set(), "3")
    assert cache.keys() == [Key("m", "a")]


def test_managed_fields_and_the_data_of_a_metadata_watch_are_not_kept() -> None:
    cache = Cache(Watched(CONFIG_MAP, metadata_only=True))
    full = thing("a", 1, data={"k": "v" * 1000})
    full["metadata"]["managedFields"] = [{"manager": "x"}]
    cache.changed(full)
    found = cache.get(Key("n", "a"))
    assert found is not None
    assert "data" not in found
    assert "managedFields" not in found["metadata"]


def test_a_reader_cannot_change_what_is_held() -> None:
    cache = Cache(Watched(DAEMON_SET))
    cache.changed(thing("a", 1, spec={"x": 1}))
    found: Any = cache.get(Key("n", "a"))
    found["spec"]["x"] = 2
    again: Any = cache.get(Key("n", "a"))
    assert again["spec"]["x"] == 1


def test_replies_go_to_the_watches_that_would_tell_them() -> None:
    caches = Caches([CHILDREN, Watched(DAEMON_SET, "other.io/owner", "other.io/owner")])
    caches.replied(DAEMON_SET, thing("a", 1, "boss"))
    assert names(caches.owned(DAEMON_SET, Key("n", "boss"))) == ["a"]
    assert [len(cache) for cache in caches] == [1, 0]


def test_a_kind_that_nobody_watches_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="nobody watches pods"):
        Caches([CHILDREN]).get(POD, Key("n", "a"))
