"""The body of a request: Standard Webhooks' form, or what Slack's incoming webhooks take. Bounded, never a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from chalicelib.domain.notification.event import Notification

_ICONS = {
    **dict.fromkeys(("breach", "failed", "rolled_back"), "🔴"),
    **dict.fromkeys(("away", "warn", "broken"), "🟠"),
    "awaiting_promotion": "🟢",
}
_SLACK_TEXT = 2900
"""Slack cuts a section at 3000 characters."""


def body(event: Notification, form: Literal["standard", "slack"]) -> bytes:
    """The bytes that are signed and sent; the same event always gives the same."""
    made = _slack(event) if form == "slack" else _standard(event)
    return json.dumps(made, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def _standard(event: Notification) -> dict[str, Any]:
    moment = datetime.fromtimestamp(event.at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"subject": event.subject, "title": event.title, **event.data}
    return {"type": event.type.value, "timestamp": moment, "data": data}


def _slack(event: Notification) -> dict[str, Any]:
    icon = _ICONS.get(event.type.value.partition(".")[2], "")
    text = f"{icon} {_escaped(event.title)}".strip()[:_SLACK_TEXT]
    context = f"Phoenix · {event.type.value} · <!date^{int(event.at)}^{{date_num}} {{time_secs}}|{int(event.at)}>"
    return {
        "text": text,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
    }


def _escaped(text: str) -> str:
    """Slack's three control characters: a host's name cannot mention a channel or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
