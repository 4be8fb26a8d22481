"""Critical processes: the patterns that say what must never disappear, and when such a pattern is sound.

One definition serves every pipeline and the measurement alike; the collector evaluates it (RE2), never we.
"""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from chalicelib.domain.model import Value

MAX_PATTERNS = 50
_NOT_RE2 = re.compile(r"(?<!\\)\(\?(?:=|!|<=|<!|>|\()|(?<!\\)\\[1-9]|(?<!\\)[*+?}]\+")
_ANCHORED_NAME = re.compile(r"\^([A-Za-z0-9_.:-]+)\$")
COMM_LENGTH = 15
"""The kernel keeps 15 characters of a process name; the collector extends it only from argv[0] (collector.md)."""


def check_regex(pattern: str) -> str:
    """The pattern, if the collector's regex engine (RE2) can compile it; ValueError says what is wrong otherwise.

    Python's compiler finds syntax errors with their position; what RE2 lacks (look-around, back-references,
    possessive quantifiers) is named here. The collector's own `validate` has the last word.
    """
    if not pattern:
        raise ValueError("an empty pattern matches every process; write a regular expression such as ^nginx$")
    if found := _NOT_RE2.search(pattern):
        raise ValueError(
            f"{found.group(0)!r} at position {found.start()} is not RE2 syntax (no look-around, back-references or "
            "possessive quantifiers); see https://github.com/google/re2/wiki/Syntax"
        )
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error.msg} at position {error.pos}") from error
    return pattern


class CriticalPattern(Value):
    """One kind of process that must be retained. Exactly one of name, commandLine and owner is given."""

    id: str = Field(default="", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    """Short name for reports; derived from the pattern when empty."""
    name: str | None = Field(default=None, max_length=200)
    """RE2 pattern on process.executable.name."""
    command_line: str | None = Field(default=None, max_length=200)
    """RE2 pattern on process.command_line."""
    owner: str | None = Field(default=None, max_length=64)
    """The exact name of the user who owns it."""

    @model_validator(mode="before")
    @classmethod
    def _name_it(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("id"):
            text = data.get("name") or data.get("commandLine") or data.get("command_line") or data.get("owner") or ""
            return {**data, "id": re.sub(r"[^A-Za-z0-9._-]+", "-", str(text)).strip("-.")[:64] or "critical"}
        return data

    @model_validator(mode="after")
    def _one_sound_pattern(self) -> CriticalPattern:
        given = [value for value in (self.name, self.command_line, self.owner) if value is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of name, commandLine and owner")
        if self.owner is None:
            check_regex(given[0])
        elif not self.owner:
            raise ValueError("owner must not be empty")
        return self

    def warnings(self) -> tuple[str, ...]:
        """What is legal but probably not meant: an anchored name longer than the kernel keeps."""
        match = _ANCHORED_NAME.fullmatch(self.name or "")
        if match and len(match.group(1)) > COMM_LENGTH:
            return (
                f"{self.name!r} needs more than {COMM_LENGTH} characters; the kernel cuts process names there unless "
                "argv[0] starts with the name: match the command line instead if nothing is found",
            )
        return ()
