"""Which line of a user's collector configuration a refusal is about: pointers of the request become pointers of the
file. What the collector's own words lead to is known in `chalicelib.domain.validation.words`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.domain.errors import PhoenixError, Problem
from chalicelib.domain.validation.words import POINTED, pointer_of, statements

__all__ = ["localised", "pointer_of", "statements"]


def localised(error: PhoenixError, value: Any, prefixes: Sequence[str]) -> PhoenixError:
    """The error about the same thing, its pointers made relative to the user's file.

    prefixes: pointers under which the request carried the file, the longest first. A problem at such a prefix itself
    has the collector's words as its rule: it becomes one problem for each of their statements, with the pointer that
    they lead to.
    """
    problems = tuple(part for problem in error.problems for part in _parts(problem, value, prefixes))
    made = type(error)(error.detail, problems=problems, hint=error.hint)
    made.code = error.code
    return made


def _parts(problem: Problem, value: Any, prefixes: Sequence[str]) -> Iterator[Problem]:
    prefix = next((one for one in prefixes if (problem.pointer + "/").startswith(one + "/")), "")
    own = problem.pointer.removeprefix(prefix)
    if own:
        yield Problem(own, problem.rule, problem.fix)
        return
    for statement in statements(problem.rule):
        found = POINTED.match(statement)
        if found:
            yield Problem(found.group(1), statement[found.end() :], problem.fix)
        else:
            yield Problem(pointer_of(statement, value), statement, problem.fix)
