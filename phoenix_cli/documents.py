"""Files that users write: YAML or JSON read into values, with the line of every field for error messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chalicelib.domain.errors import InvalidInput

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Document:
    """name: as the user gave it. lines: JSON pointer to 1-based line."""

    name: str
    value: Any
    lines: dict[str, int] = field(default_factory=dict)


def read_text(path: Path, most: int = MAX_BYTES) -> tuple[str, str]:
    """Name and text of a file ("-" is standard input). Raises InvalidInput when it cannot be read or is over `most`
    characters."""
    name = "standard input" if str(path) == "-" else str(path)
    try:
        text = Path("/dev/stdin").read_text("utf-8") if str(path) == "-" else path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text") from error
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror or error}") from error
    if len(text) > most:
        raise InvalidInput(f"{name} is over {most // 1024**2} MiB")
    return name, text


def read_document(path: Path) -> Document:
    """The one document of a file ("-" is standard input). Raises InvalidInput with file and line."""
    name, text = read_text(path)
    root = _composed(name, text)
    lines: dict[str, int] = {}
    _walk(root, "", lines, name, 0)
    return Document(name, yaml.safe_load(text), lines)


def lines_of(text: str) -> dict[str, int]:
    """JSON pointer to 1-based line of every part of a text; empty for one that is not YAML, which others say better."""
    lines: dict[str, int] = {}
    try:
        _walk(_composed("", text), "", lines, "", 0)
    except InvalidInput:
        return {}
    return lines


def _composed(name: str, text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise InvalidInput(f"{name}{place}: not YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise InvalidInput(f"{name} is nested too deeply") from error
    return root


def _walk(node: yaml.Node | None, pointer: str, lines: dict[str, int], name: str, depth: int) -> None:
    if node is None or depth > 50:
        return
    lines.setdefault(pointer, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            text = str(key.value)
            if text in seen:
                raise InvalidInput(f"{name}:{key.start_mark.line + 1}: {text!r} is given twice")
            seen.add(text)
            child = f"{pointer}/{text.replace('~', '~0').replace('/', '~1')}"
            lines[child] = key.start_mark.line + 1
            _walk(item, child, lines, name, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _walk(item, f"{pointer}/{position}", lines, name, depth + 1)
