"""Webhooks and their deliveries as people read them. Texts are data, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from phoenix_cli.show.figures import age, clean, day_and_time, duration, sentence
from phoenix_cli.show.tables import table, word

Item = Mapping[str, Any]


def webhooks_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Webhooks, one line each."""
    return table(
        (
            (
                item["spec"]["name"],
                clean(item["spec"]["url"], 80),
                ", ".join(item["spec"]["events"]),
                item["spec"]["format"],
                _gate(item["spec"]["gate"]),
                age(item["createdAt"], now),
                clean(sentence(item["disabled"]), 80),
            )
            for item in items
        ),
        ("webhook", "url", "events", "format", "gate", "created", "disabled"),
    )


def webhook_text(item: Item) -> str:
    """One webhook."""
    spec = item["spec"]
    lines = [
        f"{spec['name']}: {clean(spec['url'], 2000)}",
        f"  events    {', '.join(spec['events'])}   format {spec['format']}",
        f"  gate      {_gate(spec['gate']) or 'no'}",
        f"  created   {day_and_time(item['createdAt'])} by {clean(item['createdBy'])}",
    ]
    return "\n".join([*lines, f"  disabled  {sentence(item['disabled'])}"] if item["disabled"] else lines)


def _gate(gate: Item | None) -> str:
    return f"{duration(gate['deadline'])}, otherwise {gate['otherwise']}" if gate else ""


def deliveries_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Deliveries with their last attempt."""
    return table(
        (_delivery(item, now) for item in items),
        ("delivery", "event", "state", "attempts>", "created", "last attempt", "next"),
    )


def _delivery(item: Item, now: float | None) -> tuple[Any, ...]:
    last = item["attempts"][-1] if item["attempts"] else None
    said = "" if last is None else clean(last["error"] or f"answered {last['status']}", 80)
    pending = item["standing"] == "pending"
    wait = item["nextAt"] - now if now is not None else 0
    due = "" if not pending else f"in {duration(wait)}" if wait >= 1 else "now"
    state = word("active" if item["standing"] == "delivered" else item["standing"])
    state.plain = item["standing"]
    return (item["id"], item["event"]["type"], state, str(item["count"]), age(item["createdAt"], now), said, due)


def gates_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Questions to gates and what was answered."""
    return table((_asked(item, now) for item in items), ("gate", "asked", "answer", "by", "reason", "deadline"))


def _asked(item: Item, now: float | None) -> tuple[Any, ...]:
    said = item["answer"]
    left = item["deadlineAt"] - now if now is not None else 0
    due = "" if said else f"in {duration(left)}" if left >= 1 else f"over: {item['otherwise']}"
    return (
        item["webhook"],
        age(item["askedAt"], now),
        said["decision"] if said else "none yet",
        clean(item["answeredBy"]),
        clean(sentence(said["reason"]), 80) if said else "",
        due,
    )
