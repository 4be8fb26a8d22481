"""What every keeper of secrets checks alike: names and sizes."""

from __future__ import annotations

import re

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.ports.secrets import MAX_SECRET

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LONGEST = 200


def checked_name(name: str) -> str:
    """The name. Raises InvalidInput for one that could mean something else to a file system or a service."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise InvalidInput(f"{name[:80]!r} is no name of a secret", hint="use letters, digits, '.', '_', '-' and '/'")
    return name


def checked_text(text: str) -> str:
    """The secret. Raises TooLarge."""
    size = len(text.encode())
    if size > MAX_SECRET:
        raise TooLarge(f"a secret of {size} bytes; the limit is {MAX_SECRET}")
    return text
