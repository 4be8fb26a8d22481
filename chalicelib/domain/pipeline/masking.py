"""Keeping secrets out of what is stored, shown or logged. Masking errs on the side of hiding.

A running collector reports its configuration with every `${env:...}` expanded (opamp.md, effective_config). Where the
configuration that was offered is known, its references are put back; everything else is masked by name and by form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.pipeline.references import environment_names

REDACTED = "[REDACTED]"
TRUNCATED = "[TRUNCATED]"
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_TEXT = 8_000

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|credential|authori[sz]ation|cookie|bearer|connection_?string"
    r"|(?:api|access|account|private|shared|signing|license|ingest(?:ion)?|encryption|write|subscription)[_.\s-]?key"
    r"|^(?:auth|key_pem|pwd|sas|dsn)$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"_(?:file|path|type|url|endpoint|name)$", re.IGNORECASE)
_ALL_INSIDE = ("headers", "external_labels", "proxy_connect_header")
_LABELS = ("key", "name")
_REFERENCE = re.compile(r"(?:[A-Za-z]+ )?\$\{(?:env:)?[A-Za-z_][A-Za-z0-9_]*\}")

# Repetitions are bounded so that no text, however made, costs more than linear time to search.
_QUERY = (re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s\"'?#]{0,500})\?[^\s\"'#]+"), rf"\1?{REDACTED}")
_CREDENTIALS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20}://)[^/\s@\"'?#]{1,500}@"), rf"\1{REDACTED}@"),
    (re.compile(r"\bphx_[A-Za-z0-9_-]+"), REDACTED),
    (re.compile(r"\b(Bearer|Basic)\s{1,9}(?!\$\{)[^\s\"',;\[]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,2000}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{15,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,})"), REDACTED),
    (
        re.compile(
            r"(?i)\b([\w.-]{0,40}(?:passw(?:or)?d|secret|token|(?:api|access|account)[_-]?key|authorization))"
            r"(\\?[\"']?\s{0,9}[=:]\s{0,9}\\?[\"']?)(?!\s{0,9}(?:\$\{|\[REDACTED|Bearer\b|Basic\b))[^\s\"'&,;\\=]+"
        ),
        rf"\1\2{REDACTED}",
    ),
)


def holds_credential(text: str) -> bool:
    """Whether the text has the form of a credential somewhere, whatever its name. Environment references are none."""
    return any(pattern.search(text[:MAX_TEXT]) for pattern, _ in _CREDENTIALS)


def mask_text(text: str) -> str:
    """The text with credentials in URLs, query strings, Phoenix and other well-known tokens, and `name=secret` pairs
    replaced by [REDACTED]. Environment references stay. At most 8 000 characters."""
    out = text[:MAX_TEXT]
    for pattern, replacement in (_QUERY, *_CREDENTIALS):
        out = pattern.sub(replacement, out)
    return out if len(text) <= MAX_TEXT else out + TRUNCATED


def mask_secrets(config: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A copy without secrets.

    config: a configuration as a collector reports it. offered: the configuration it was given, when known: wherever
    that has an environment reference, the reference is shown instead of what it expanded to. Depth, number of nodes
    and length of texts are bounded; what is cut says [TRUNCATED].
    """
    return _Mask().mapping(config, offered, hide=False, in_list=False, depth=0)


def is_secret_entry(parent: Mapping[str, Any], key: str, *, in_list: bool) -> bool:
    """Whether the value under this key of this mapping is secret by its name.

    {name: authorization, value: ...} is judged by its label. A bare `key` is a credential (`api: {key: ...}`), but in
    an item of a list it names an attribute (`attributes: [{key: host.name}]`).
    """
    label = next((parent[name] for name in _LABELS if isinstance(parent.get(name), str)), None)
    if "value" in parent and label is not None:
        return key == "value" and _is_secret_name(label)
    return (key == "key" and not in_list) or _is_secret_name(key)


def is_reference(text: str) -> bool:
    """Whether the text is an environment reference and nothing else but a scheme word ("Bearer ${env:TOKEN}")."""
    return bool(_REFERENCE.fullmatch(text))


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name[:200])) and not _NO_SECRET.search(name)


class _Mask:
    """One walk with its budget of nodes."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def value(self, value: Any, offered: Any, *, hide: bool, in_list: bool, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            return TRUNCATED
        if not _alike(value, offered) and environment_names(offered):
            # The collector shows this part in another shape, so its references cannot be put back one by one.
            return REDACTED
        if isinstance(value, Mapping):
            return self.mapping(value, offered, hide=hide, in_list=in_list, depth=depth)
        if isinstance(value, (list, tuple)):
            return self.sequence(value, offered, hide=hide, depth=depth)
        return _leaf(value, offered, hide=hide)

    def mapping(
        self, value: Mapping[str, Any], offered: Any, *, hide: bool, in_list: bool, depth: int
    ) -> dict[str, Any]:
        known = offered if isinstance(offered, Mapping) else {}
        out: dict[str, Any] = {}
        for key, item in value.items():
            if self.left <= 0:
                out[TRUNCATED] = TRUNCATED
                break
            name = str(key)
            hidden = hide or is_secret_entry(value, name, in_list=in_list)
            hidden = hidden or (name in _ALL_INSIDE and isinstance(item, Mapping))
            out[mask_text(name)] = self.value(item, known.get(key), hide=hidden, in_list=False, depth=depth + 1)
        return out

    def sequence(self, value: Sequence[Any], offered: Any, *, hide: bool, depth: int) -> list[Any]:
        known = offered if isinstance(offered, (list, tuple)) and len(offered) == len(value) else [None] * len(value)
        out: list[Any] = []
        for item, its in zip(value, known, strict=True):
            if self.left <= 0:
                out.append(TRUNCATED)
                break
            out.append(self.value(item, its, hide=hide, in_list=True, depth=depth + 1))
        return out


def _alike(value: Any, offered: Any) -> bool:
    """Whether two parts have the same shape, so that they can be walked together."""
    if isinstance(value, Mapping) or isinstance(offered, Mapping):
        return isinstance(value, Mapping) and isinstance(offered, Mapping)
    if isinstance(value, (list, tuple)) and isinstance(offered, (list, tuple)):
        return len(value) == len(offered)
    return not isinstance(value, (list, tuple)) and not isinstance(offered, (list, tuple))


def _leaf(value: Any, offered: Any, *, hide: bool) -> Any:
    if isinstance(offered, str) and "${" in offered:
        return offered if is_reference(offered) else mask_text(offered)
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, (int, float)):
        return REDACTED if hide else value
    text = str(value)
    if not hide:
        return mask_text(text)
    return text if is_reference(text) else REDACTED
