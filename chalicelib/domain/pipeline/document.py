"""Writing a configuration down as YAML that every reader reads the same way. Reading YAML is an adapter's work.

Strings are quoted unless they are plainly words, because YAML libraries disagree on bare scalars: `1e3` is text to
one and a number to the collector. Output is deterministic and keeps the order of keys.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*|[0-9]+(?:ms|s)")
_READ_AS_OTHER = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_yaml(config: Mapping[str, Any], *, header: tuple[str, ...] = ()) -> str:
    """The configuration as YAML text, ending in a newline; `header` lines come first, as comments.

    Raises TypeError for a value that is no mapping, list, text, number, boolean or None.
    """
    comment = "".join(f"# {' '.join(line.split())}\n" for line in header)
    return comment + ("\n".join(_block(config, 0)) or "{}") + "\n"


def _block(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{pad}{_scalar(str(key))}:", item, depth + 1)
    else:
        for item in value:
            yield from _item(pad, item, depth)


def _entry(head: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)) and value:
        yield head
        yield from _block(value, depth)
    else:
        yield f"{head} {_scalar(value)}"


def _item(pad: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)) and value:
        lines = list(_block(value, depth + 1))
        yield f"{pad}- {lines[0].lstrip(' ')}"
        yield from lines[1:]
    else:
        yield f"{pad}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{value!r} has no place in a configuration")
        return repr(value) if "e" not in repr(value) or "." in repr(value) else repr(value).replace("e", ".0e")
    raise TypeError(f"{type(value).__name__} has no place in a configuration")


def _text(value: str) -> str:
    if _WORD.fullmatch(value) and value.lower() not in _READ_AS_OTHER:
        return value
    if value.isprintable() and ('"' in value or "\\" in value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_SHORT.get(char) or _printable(char) for char in value) + '"'


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
