"""Keeping secrets out of what is stored, shown or logged. Masking errs on the side of hiding.

A running collector reports its configuration with every `${env:...}` expanded (opamp.md, effective_config). Where the
configuration that was offered is known, its references are put back; everything else is masked by name and by form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[REDACTED]"
TRUNCATED = "[TRUNCATED]"
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_TEXT = 20_000

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|credential|authori[sz]ation|cookie|bearer"
    r"|(?:api|access|account|private|shared|signing|license|ingest(?:ion)?|encryption|write|subscription)[_.\s-]?key"
    r"|^(?:key|auth|key_pem|pwd|sas|dsn)$|connection_?string",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"_(?:file|path|type|url|endpoint|name)$|^tokens?_?(?:limit|count)", re.IGNORECASE)
_ALL_INSIDE = {"headers", "external_labels", "proxy_connect_header"}
_NAMES = ("key", "name")
_REFERENCE = re.compile(r"(?:Bearer |Basic )?\$\{(?:env:)?[A-Za-z_][A-Za-z0-9_]*\}")

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@\"'?#]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'?#]*)\?[^\s\"'#]+"), rf"\1?{REDACTED}"),
    (re.compile(r"\bphx_[A-Za-z0-9_-]+"), REDACTED),
    (re.compile(r"\b(Bearer|Basic)\s+(?!\$\{)[^\s\"',;\[]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{15,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,})"), REDACTED),
    (
        re.compile(
            r"(?i)\b([\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|authorization))"
            r"(\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!\s*(?:\$\{|\[REDACTED|Bearer\b|Basic\b))[^\s\"'&,;\\]+"
        ),
        rf"\1\2{REDACTED}",
    ),
)


def mask_text(text: str) -> str:
    """The text with credentials in URLs, query strings, Phoenix and other well-known tokens, and `name=secret` pairs
    replaced by [REDACTED]. Environment references stay."""
    out = text[:MAX_TEXT]
    for pattern, replacement in _FORMS:
        out = pattern.sub(replacement, out)
    return out if len(text) <= MAX_TEXT else out + TRUNCATED


def mask_secrets(config: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A copy without secrets.

    config: a configuration as a collector reports it. offered: the configuration it was given, when known: wherever
    that has an environment reference, the reference is shown instead of what it expanded to. Depth, number of nodes
    and length of texts are bounded.
    """
    masked: dict[str, Any] = _Mask().mapping(config, offered, hide=False, depth=0)
    return masked


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.search(name)


class _Mask:
    """One walk with its budget of nodes."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def value(self, value: Any, offered: Any, *, hide: bool, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            return TRUNCATED
        if isinstance(value, Mapping):
            return self.mapping(value, offered, hide=hide, depth=depth)
        if isinstance(value, (list, tuple)):
            return self.sequence(value, offered, hide=hide, depth=depth)
        return _leaf(value, offered, hide=hide)

    def mapping(self, value: Mapping[str, Any], offered: Any, *, hide: bool, depth: int) -> dict[str, Any]:
        known = offered if isinstance(offered, Mapping) else {}
        named = _named_secret(value)
        out: dict[str, Any] = {}
        for key, item in value.items():
            if self.left <= 0:
                out[TRUNCATED] = TRUNCATED
                break
            name = str(key)
            inside = name in _ALL_INSIDE and not isinstance(item, (list, tuple))
            labels = named is not None and name in _NAMES
            secret = hide or inside or (named is not None and name == "value")
            secret = secret or (named is None and not _is_pair(value) and is_secret_name(name))
            out[mask_text(name)] = self.value(item, known.get(name), hide=secret and not labels, depth=depth + 1)
        return out

    def sequence(self, value: Any, offered: Any, *, hide: bool, depth: int) -> list[Any]:
        known = offered if isinstance(offered, (list, tuple)) and len(offered) == len(value) else [None] * len(value)
        out = []
        for item, its in zip(value, known, strict=True):
            if self.left <= 0:
                out.append(TRUNCATED)
                break
            out.append(self.value(item, its, hide=hide, depth=depth + 1))
        return out


def _is_pair(value: Mapping[str, Any]) -> bool:
    """{key: ..., value: ...} or {key: ..., action: ...}: here `key` names an attribute and is no secret."""
    return any(isinstance(value.get(name), str) for name in _NAMES) and len(value) > 1


def _named_secret(value: Mapping[str, Any]) -> str | None:
    """The name in a {name: authorization, value: ...} pair that says that the value is secret."""
    if "value" not in value:
        return None
    names = (value.get(name) for name in _NAMES)
    return next((name for name in names if isinstance(name, str) and is_secret_name(name)), None)


def _leaf(value: Any, offered: Any, *, hide: bool) -> Any:
    if isinstance(offered, str) and "${" in offered:
        return offered if _REFERENCE.fullmatch(offered) else mask_text(offered)
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, (int, float)):
        return REDACTED if hide else value
    text = str(value)
    if not hide:
        return mask_text(text)
    return text if _REFERENCE.fullmatch(text) else REDACTED
