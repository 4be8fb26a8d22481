"""Taking secrets out of text that leaves this process: logs and reported errors."""

from __future__ import annotations

import re

REDACTED = "[REDACTED]"
PATTERNS = (
    (re.compile(r"(?i)\b(bearer)\s+[^\s\"'\\,;]+"), rf"\1 {REDACTED}"),
    (re.compile(r"\b(Basic)\s+[A-Za-z0-9+/]{6,}={0,2}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bphx_[A-Za-z0-9_-]+"), REDACTED),
    (re.compile(r"(?<=://)[^/\s:@\"']+:[^/\s@\"']+@"), f"{REDACTED}@"),
)


def redact(text: str, token: str) -> str:
    """The text without this token, any bearer or basic credential, any Phoenix token, any password in a URL."""
    text = text.replace(token, REDACTED) if token else text
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text
