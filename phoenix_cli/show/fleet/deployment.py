"""One deployment for people, host by host: what was wanted, what each collector proved or why it failed, and the
versions to go back to. Strings from hosts are data, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from phoenix_cli.show.figures import age, clean
from phoenix_cli.show.tables import deployments_table, table, word

Item = Mapping[str, Any]
MAX_ERROR = 4000


def deployment_view(item: Item, now: float | None = None) -> RenderableType:
    """The deployment, then its hosts with the whole error text, then its versions. now: Unix seconds, for ages."""
    return Group(
        deployments_table([item], now),
        Text(),
        *(line for host, one in sorted(item["status"].items()) for line in _host(host, one, now)),
        Text(),
        table(
            (_version(one, item["current"], now) for one in item["versions"]), ("version>", "made", "by", "note", "")
        ),
    )


def _host(host: str, one: Item, now: float | None) -> Iterable[Text]:
    running = f"   runs {clean(one['running'], 60)}" if one.get("running") else ""
    yield Text.assemble(f"{clean(host)}   ", word(one["status"]), f" {age(one.get('since'), now)}{running}")
    for line in (one.get("error") or "")[:MAX_ERROR].splitlines():
        yield Text(f"  {clean(line, MAX_ERROR)}")


def _version(one: Item, current: int, now: float | None) -> tuple[str, ...]:
    mark = "current" if one["number"] == current else ""
    return (str(one["number"]), age(one["createdAt"], now), one["createdBy"], one.get("note") or "", mark)
