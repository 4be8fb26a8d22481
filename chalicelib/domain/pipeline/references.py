"""What a configuration asks the collector to read from outside itself: `${env:NAME}` and its kin.

The collector would also expand `${file:...}`, `${http:...}` and `${yaml:...}`. On the machine that validates, these
would read files and addresses on a stranger's behalf, so only the environment may be referred to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import Problem

_REFERENCE = re.compile(r"(\$+)\{([^{}]*)\}?")
_ENV = re.compile(r"(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-[^{}$]*)?")

Path = tuple[str | int, ...]


def find_references(tree: Any) -> list[tuple[Path, str]]:
    """Every `${...}` in the tree's texts and keys that the collector would expand, with the path to it.

    A doubled dollar sign escapes, but only in a text without any reference: the collector of 0.155 was seen to expand
    an escaped one beside an unescaped one of the same name.
    """
    return [(path, inner) for path, text in _texts(tree, ()) for inner in _references(text)]


def _references(text: str) -> list[str]:
    found = list(_REFERENCE.finditer(text))
    live = any(len(match.group(1)) % 2 for match in found)
    return [match.group(2) for match in found] if live else []


def environment_names(tree: Any) -> set[str]:
    """Names of the environment variables that the configuration refers to."""
    matches = (_ENV.fullmatch(inner) for _, inner in find_references(tree))
    return {match.group(1) for match in matches if match}


def reference_problems(tree: Any, prefix: str = "") -> list[Problem]:
    """One problem for each reference to anything but an environment variable."""
    return [
        Problem(
            prefix + pointer(path),
            f"${{{inner[:60]}}} is not an environment reference",
            "only ${env:NAME} is allowed; write anything else out, and a literal dollar sign as $$",
        )
        for path, inner in find_references(tree)
        if not _ENV.fullmatch(inner)
    ]


def pointer(path: Sequence[str | int]) -> str:
    """The path as a JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _texts(tree: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield (*path, str(key)), str(key)
            yield from _texts(value, (*path, str(key)))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _texts(value, (*path, index))
    elif isinstance(tree, str):
        yield path, tree
