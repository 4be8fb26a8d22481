"""Texts made from patterns; checked here with Python's engine, which the product never runs on them."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.validation.marked import marked_by
from chalicelib.domain.validation.population import ORDINARY, population
from chalicelib.domain.validation.stand_in import MAX_LENGTH, stand_ins


@pytest.mark.parametrize(
    "pattern",
    [
        "^nginx$",
        "postgres|mysql",
        "^(?:java|python3?)$",
        "payments-worker --id [0-9]{2,}",
        r"^\w+-\d+\.\S$",
        r"^[^a-z/]+x?$",
        "(?i)NGINX",
        "(a|b)(c|d)",
        r"\[kworker/\d\]",
        "naïve-üñî",
        "x{40}",
        "a.c",
    ],
)
def test_every_text_matches_its_pattern(pattern: str) -> None:
    made = stand_ins(pattern)
    assert made
    assert all(re.search(pattern, text) and len(text) <= MAX_LENGTH for text in made)


def test_the_first_alternatives_all_get_a_text() -> None:
    assert stand_ins("^(?:one|two|three)$") == ("one", "two", "three")


@pytest.mark.parametrize(
    "pattern", ["a{1000}", "((a{60}){60}){60}", "(?:){60000}", "(", r"(a)\1", "(" * 3000 + ")" * 3000]
)
def test_what_is_beyond_it_gives_nothing_soon(pattern: str) -> None:
    assert stand_ins(pattern) == ()


def test_stand_ins_are_small_and_idle_among_larger_ones_and_one_comes_late() -> None:
    people = population([CriticalPattern(name="^nginx$")], 10**18)
    first, second = people.scrapes
    names = [[one for one in scrape.processes if one.name == "nginx"] for scrape in people.scrapes]
    assert [len(found) for found in names] == [2, 3]
    assert min(one.memory for one in names[0]) < min(one.memory for one in first.processes if one.name != "nginx")
    assert len(first.processes) == ORDINARY + 2
    ended = {one.pid for one in first.processes} - {one.pid for one in second.processes}
    assert len(ended) > ORDINARY / 10
    assert len({one.pid for one in second.processes}) == len(second.processes)


def test_the_patterns_of_rendered_statements_are_read_back() -> None:
    tree = {
        "processors": {
            "transform/mark": {
                "metric_statements": [
                    {
                        "statements": [
                            'set(resource.attributes["phoenix.critical"], "web") where '
                            'IsMatch(resource.attributes["process.executable.name"], "^ng\\\\w+$$")',
                            'set(resource.attributes["phoenix.critical"], "db") where '
                            'resource.attributes["phoenix.critical"] == nil and '
                            'resource.attributes["process.owner"] == "po\\"st"',
                            'set(resource.attributes["other"], "x") where '
                            'IsMatch(resource.attributes["process.executable.name"], "no")',
                        ]
                    }
                ]
            }
        }
    }
    assert marked_by(tree) == (CriticalPattern(id="web", name="^ng\\w+$"), CriticalPattern(id="db", owner='po"st'))
