"""Taking out of a process's attributes what must not leave its host: matches of the user's patterns, and secrets.

What is taken out leaves a salted hash, `<redacted:0123456789ab>`: the same text has the same hash all through one
recording, and different texts have different ones. So no redaction makes two processes, names or series one, and
none splits one into two. The salt is never written down: nobody can try texts against the hashes. Pids, times and
values are never changed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.masking import mask_text

MARK = re.compile(r"<redacted:[0-9a-f]{12}>")
"""What a replaced text looks like."""
MAX_PATTERNS, MAX_PATTERN = 100, 500
_REMEMBERED = 100_000
_HIDDEN = "[REDACTED]"
_FLAG = re.compile(
    r"(?i)(?<![\w-])(--?[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|credential|(?:api|access|private)[_-]?key))"
    r"(\s{1,9})(?!\[REDACTED)(?!-)\S+"
)
"""`--password hunter2`: a secret in the argument after the one that names it."""
_SHORT = re.compile(r"\b((?:mysql|mariadb|mysqldump|mysqladmin)\b[^\n]{0,2000}?\s-p)(?!\[REDACTED)[^\s-]\S*")
"""`mysql -phunter2`."""


class Redactor:
    """patterns: Python regular expressions of the user. salt: chance of this recording, at least 16 bytes. Raises
    InvalidInput for a pattern that does not compile or matches the empty text."""

    def __init__(self, patterns: Iterable[str], salt: bytes) -> None:
        self._patterns = [_compiled(pattern) for pattern in patterns]
        if len(self._patterns) > MAX_PATTERNS:
            raise InvalidInput(f"--redact: {len(self._patterns)} patterns are more than {MAX_PATTERNS}")
        self._salt = salt
        self._known: dict[str, str] = {}
        self._changed: dict[str, set[str]] = defaultdict(set)

    @property
    def counts(self) -> dict[str, int]:
        """Attribute to how many of its different values were changed."""
        return {key: len(values) for key, values in sorted(self._changed.items())}

    def apply(self, request: ExportMetricsServiceRequest) -> None:
        """Change the attributes of every process of a scrape, in place."""
        for resource in request.resource_metrics:
            for pair in resource.resource.attributes:
                if pair.value.WhichOneof("value") != "string_value":
                    continue
                text = pair.value.string_value
                clean = self.text(text)
                if clean != text:
                    pair.value.string_value = clean
                    self._changed[pair.key].add(self._hash(text))

    def text(self, text: str) -> str:
        """One value without what must not be read."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[text] = self._without_secrets(self._without_matches(text))
        return found

    def _without_matches(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(lambda match: self._mark(match[0]) if match[0] else "", text)
        return text

    def _without_secrets(self, text: str) -> str:
        masked = _SHORT.sub(rf"\1{_HIDDEN}", _FLAG.sub(rf"\1\2{_HIDDEN}", mask_text(text)))
        return text if masked == text else f"{masked} {self._mark(text)}"

    def _mark(self, text: str) -> str:
        return f"<redacted:{self._hash(text)}>"

    def _hash(self, text: str) -> str:
        return hmac.new(self._salt, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        made = re.compile(pattern)
    except re.error as error:
        rule = f"not a regular expression: {error.msg} at position {error.pos}"
        raise InvalidInput(f"--redact {pattern[:80]!r}: {rule}") from error
    if len(pattern) > MAX_PATTERN:
        rule = f"longer than {MAX_PATTERN} characters"
    elif made.search("") is not None:
        rule = "it matches the empty text, and so every value everywhere"
    else:
        return made
    raise InvalidInput(f"--redact {pattern[:80]!r}: {rule}")
