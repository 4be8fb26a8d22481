"""Reading a configuration's text: where everything stands, and what is refused before anything walks it."""

from __future__ import annotations

import pytest

from chalicelib.adapters.collector.reader import MAX_PARTS, MAX_TEXT, YamlReader


def faults(text: str) -> list[tuple[str, int, int]]:
    return [(fault.rule, *fault.position) for fault in YamlReader().read(text).faults]


def test_every_part_has_its_line_and_column() -> None:
    source = YamlReader().read("receivers:\n  otlp/a: {x: 1}\nlist:\n  - one\n  - [two]\n")
    assert source.value == {"receivers": {"otlp/a": {"x": 1}}, "list": ["one", ["two"]]}
    assert source.positions == {
        "": (1, 1),
        "/receivers": (1, 1),
        "/receivers/otlp~1a": (2, 3),
        "/receivers/otlp~1a/x": (2, 12),
        "/list": (3, 1),
        "/list/0": (4, 5),
        "/list/1": (5, 5),
        "/list/1/0": (5, 6),
    }


def test_scalars_are_read_as_the_collector_reads_them() -> None:
    assert YamlReader().read("a: on\nb: true\nc: 2020-01-01\nd: 10\ne:\n").value == {
        "a": "on",
        "b": True,
        "c": "2020-01-01",
        "d": 10,
        "e": None,
    }


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: {b: 1\nc: 2\n", "PHX-V001", 2),
        ("a: 1\n\tb: 2\n", "PHX-V001", 2),
        ("a: *nowhere\n", "PHX-V001", 1),
        ("a: &a [*a]\n", "PHX-V001", 1),
        ("a: 1\n---\nb: 1\n", "PHX-V001", 2),
        ("a: 1\nb: \x00\n", "PHX-V001", 2),
        ("a: 1\nb: !!binary aGk=\n", "PHX-V001", 2),
        ("a: 1\nb: !!python/object:os.system x\n", "PHX-V001", 2),
        ("? [a, b]\n: 1\n", "PHX-V001", 1),
        ("a: 1\nb: 2\na: 3\n", "PHX-V002", 3),
        ("[" * 2000, "PHX-V003", 1),
        ("[" * 60 + "]" * 60, "PHX-V003", 1),
        ("a: 1\n" + "#" * MAX_TEXT, "PHX-V003", 1),
        ("- [" + "a, " * MAX_PARTS + "]", "PHX-V003", 1),
    ],
)
def test_what_is_no_configuration_is_a_fault_with_its_place(text: str, rule: str, line: int) -> None:
    assert [(found[0], found[1]) for found in faults(text)][:1] == [(rule, line)]
    assert YamlReader().read(text).value is None


def test_an_empty_text_is_an_empty_document() -> None:
    assert (YamlReader().read("# nothing\n").value, faults("")) == (None, [])
