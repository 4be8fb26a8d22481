"""Which parameters are tried, which variant wins, which names a reduction is made of."""

from __future__ import annotations

import random

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.pipeline.metadata import Parameter
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.prediction.figures import MAX_NAMES, names_of, per_month
from chalicelib.domain.prediction.grid import MAX_COMBINATIONS, grid, values
from chalicelib.domain.prediction.ranking import Tried, rank
from chalicelib.domain.pricebooks import price_book
from chalicelib.settings import ROOT
from tests.unit.prediction.made import figures, kept

CATALOG = FileCatalog(ROOT / "catalog")


@pytest.mark.parametrize("name", CATALOG.names())
def test_every_variant_of_a_grid_is_legal_different_and_starts_with_the_defaults(name: str) -> None:
    metadata = CATALOG.get(name).metadata
    found = grid(metadata)
    assert found[0] == {}
    assert 1 <= len(found) <= MAX_COMBINATIONS
    rendered = [tuple(sorted(map(str, render(CATALOG.get(name), one).parameters.items()))) for one in found]
    assert len(set(rendered)) == len(found)
    assert found == grid(metadata)


def parameter(**fields: object) -> Parameter:
    return Parameter.model_validate({"name": "p", "description": "d", "maximum": 100, **fields})


@pytest.mark.parametrize(
    ("fields", "tried"),
    [
        ({"type": "int", "minimum": 1, "default": 10}, [10, 5, 20]),
        ({"type": "int", "minimum": 8, "default": 10}, [10, 8, 20]),
        ({"type": "int", "minimum": 0, "default": 0}, [0]),
        ({"type": "int", "minimum": 0, "default": 100}, [100, 50]),
        ({"type": "share", "minimum": 0, "maximum": 1, "default": 0.75}, [0.75, 0.375, 1.0]),
        ({"type": "bool", "default": True}, [True, False]),
        ({"type": "regex", "default": "^a$"}, ["^a$"]),
        ({"type": "regexes", "default": ["^a$"]}, [["^a$"]]),
    ],
)
def test_a_parameter_is_tried_at_its_default_and_its_neighbours_within_bounds(
    fields: dict[str, object], tried: list[object]
) -> None:
    assert values(parameter(**fields)) == tried


def variants() -> list[Tried]:
    return [
        Tried("dear", {}, figures(series=100.0)),
        Tried("cheap", {}, figures(series=10.0)),
        Tried("loses", {}, figures(series=1.0, critical=(kept(kept=3),))),
        Tried("unseen", {}, figures(series=1.0, critical=(kept(0, 0),))),
        Tried("broken", {}, None, failure="the collector refused it"),
    ]


def test_the_cheapest_that_keeps_all_wins_and_the_others_are_left_out_with_a_reason() -> None:
    ranked, left = rank(variants())
    assert [(one.place, one.tried.pipeline, one.tie) for one in ranked] == [(1, "cheap", ""), (2, "dear", "")]
    assert {one.tried.pipeline: one.why for one in left} == {
        "loses": "loses critical db: 3 of 4 process-scrapes kept",
        "unseen": "nothing in the recording matches critical db",
        "broken": "the collector refused it",
    }


def test_ties_are_broken_in_a_fixed_order_and_explained() -> None:
    tied = [
        Tried("b", {"k": 1}, figures(), gone=3),
        Tried("b", {}, figures(), gone=3),
        Tried("a", {}, figures(), gone=3),
        Tried("c", {}, figures(), gone=2),
    ]
    ranked, _ = rank(tied)
    assert [(one.tried.pipeline, one.tie.rpartition(" broken by ")[2]) for one in ranked] == [
        ("c", ""),
        ("a", "names that disappear"),
        ("b", "name"),
        ("b", "parameters that differ from the defaults"),
    ]
    for seed in range(5):
        random.Random(seed).shuffle(tied)
        assert rank(tied)[0] == ranked


def test_a_book_that_cannot_price_ranks_by_series() -> None:
    ranked, _ = rank(
        [Tried("a", {}, figures(series=9, per_month=None)), Tried("b", {}, figures(series=5, per_month=None))]
    )
    assert [one.tried.pipeline for one in ranked] == ["b", "a"]


def test_money_is_for_one_host_with_its_included_amounts_used_up() -> None:
    assert per_month(price_book("example-2026"), 100, 15, None) == pytest.approx(6.0)
    assert per_month(price_book("datadog-pro"), 100, 15, None) == pytest.approx(5.0 + 15.0)
    assert per_month(price_book("newrelic-original"), 100, 15, None) is None


def test_names_are_told_by_what_they_lose_and_those_without_anything_left_are_gone() -> None:
    before = {"a": 70, "b": 700, "c": 70, "same": 7, "": 14}
    found = names_of(before, {"b": 70, "c": 7, "same": 7, "[other]": 5}, scrapes=7)
    assert [(one.name, one.before, one.after) for one in found.most] == [
        ("b", 100, 10),
        ("a", 10, 0),
        ("c", 10, 1),
        ("", 2, 0),
    ]
    assert (found.gone, found.gone_total) == (("a", ""), 2)


def test_lists_of_names_are_bounded_and_their_number_is_not() -> None:
    found = names_of({f"n{number}": number for number in range(1, 101)}, {}, scrapes=1)
    assert len(found.most) == len(found.gone) == MAX_NAMES
    assert found.gone_total == 100
    assert found.most[0].name == "n100"
