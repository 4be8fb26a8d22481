"""Failed configurations and attempts as tables. The texts are collectors' and hosts' own: data, never markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from phoenix_cli.show.figures import age
from phoenix_cli.show.tables import table

DIGITS = 12


def quarantine_table(items: Iterable[dict[str, Any]], now: float | None = None) -> Table:
    """Failures that are remembered, by host. now: Unix seconds, for ages."""
    columns = ("host", "configuration", "of", "failed", "the collector's words")
    return table(
        ((i["host"], i["contentHash"][:DIGITS], i["scope"], age(i["at"], now), i["error"]) for i in items), columns
    )


def attempts_table(items: Iterable[dict[str, Any]], now: float | None = None) -> Table:
    """What was tried on a host, oldest first. now: as above."""
    columns = ("when", "what", "configuration", "of", "by", "the collector's words")
    return table((_attempt(item, now) for item in items), columns)


def _attempt(item: dict[str, Any], now: float | None) -> tuple[str, ...]:
    detail = item["detail"]
    words = detail.get("text") or detail.get("error") or ""
    what, of = item["action"].removeprefix("config "), detail.get("scope", "")
    return (age(item["at"], now), what, detail.get("content_hash", "")[:DIGITS], of, item["actor"], words)
