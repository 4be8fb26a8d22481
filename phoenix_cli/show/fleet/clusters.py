"""Clusters as people read them. Texts of clusters and nodes are data, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from phoenix_cli.show.figures import age, clean, day_and_time, plural, sentence
from phoenix_cli.show.tables import table, word

Item = Mapping[str, Any]


def clusters_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Clusters, one line each."""
    return table(
        (
            (
                item["name"],
                item["mode"],
                _state(item),
                clean(_where(item), 80),
                clean(item["versions"]["kubernetes"], 20),
                age(item["lastSeen"], now),
                _trouble(item),
            )
            for item in items
        ),
        ("cluster", "mode", "state", "reached by", "kubernetes", "last seen", "note"),
    )


def cluster_view(item: Item) -> RenderableType:
    """One cluster with its nodes."""
    head = [
        f"{item['name']}: {item['mode']}, {clean(_where(item), 200)}, namespace {item['namespace']}",
        f"  state       {_standing(item)}",
        f"  kubernetes  {clean(item['versions']['kubernetes'], 64) or 'not known yet'}",
        f"  registered  {day_and_time(item['registeredAt'])} by {clean(item['registeredBy'])}",
        f"  resources   {', '.join(item['resources']) or 'none'}",
    ]
    if item["retiringTokens"]:
        head.append(f"  old tokens  {item['retiringTokens']}, good until the new one is used")
    head += [f"  problem     {sentence(problem, 300)}" for problem in item["problems"]]
    nodes = table((_node(node) for node in item["nodes"]), ("node", "host", "up", "resource", "state", "message"))
    return Group(Text("\n".join(head)), Text(""), nodes)


def rights_view(item: Item) -> RenderableType:
    """What a test call found."""
    if not item["reached"]:
        hint = f"\n  {sentence(item['hint'])}" if item["hint"] else ""
        return Text(f"not reached: {sentence(item['problem'])}{hint}")
    rights = table(
        ((right["what"], word("yes" if right["allowed"] else "no")) for right in item["rights"]), ("right", "allowed")
    )
    return Group(Text(f"reached: Kubernetes {clean(item['version'], 64)}"), rights)


def _node(node: Item) -> tuple[str | Text, ...]:
    state = node["state"] or ""
    shown = word({"Ready": "active", "Failed": "failed"}.get(state, "pending")) if state else Text("")
    shown.plain = state
    up = word("yes" if node["ready"] else "no")
    return (clean(node["node"], 253), node["host"], up, node["resource"], shown, clean(sentence(node["message"]), 120))


def _where(item: Item) -> str:
    if item["eks"]:
        return f"EKS {item['eks']['clusterName']} in {item['eks']['region']}"
    if item["mode"] == "pull":
        return "its operator calls"
    context = f" ({item['context']})" if item["context"] else ""
    return f"{item['server']}{context}"


def _state(item: Item) -> Text:
    if item["unreachableSince"] is not None:
        return word("away")
    return word("active" if item["lastSeen"] is not None else "pending")


def _standing(item: Item) -> str:
    if item["unreachableSince"] is not None:
        return f"unreachable since {day_and_time(item['unreachableSince'])}: {sentence(item['unreachableWhy'], 500)}"
    if item["lastSeen"] is None:
        return "not seen yet"
    return f"last seen {day_and_time(item['lastSeen'])}, {plural(len(item['nodes']), 'node')}"


def _trouble(item: Item) -> str:
    if item["unreachableSince"] is None:
        return ""
    return clean(f"unreachable since {day_and_time(item['unreachableSince'])}: {sentence(item['unreachableWhy'])}", 120)
