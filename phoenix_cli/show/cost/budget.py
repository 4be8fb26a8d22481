"""Budgets as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from phoenix_cli.show.figures import age, clean, day_and_time, duration, money, percent, plural, sentence
from phoenix_cli.show.tables import table

Item = Mapping[str, Any]
_STYLES = {"breach": "red", "warn": "yellow", "fine": "green"}


def budgets_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Budgets, one line each."""
    return table(
        (
            (
                item["spec"]["name"],
                Text(item["level"], style=_STYLES.get(item["level"], "")),
                _cost(item),
                _limit(item),
                _scope(item["spec"]),
                item["spec"]["priceBook"],
                age(item["evaluatedAt"], now),
                clean(sentence(item["reason"]), 80),
            )
            for item in items
        ),
        ("budget", "level", "a month>", "limit>", "of", "price book", "looked at", "note"),
    )


def budget_text(item: Item) -> str:
    """One budget."""
    spec = item["spec"]
    lines = [
        f"{spec['name']}: {item['level']}",
        f"  cost      {_cost(item)} a month of {_limit(item)}, warns at {percent(spec['warnAt'], 0)}",
        f"  of        {_scope(spec)}, {plural(item['measured'], 'host')} measured, {item['unmeasured']} not",
        f"  rests on  price book {spec['priceBook']}, the rate of the last {duration(spec['window'])}, "
        f"included amounts {spec['allotments']}",
        f"  looked    {day_and_time(item['evaluatedAt']) if item['evaluatedAt'] else 'not yet'}",
    ]
    return "\n".join([*lines, f"  note      {sentence(item['reason'])}"] if item["reason"] else lines)


def _cost(item: Item) -> str:
    return "not measured" if item["perMonth"] is None else money(item["perMonth"], item["currency"])


def _limit(item: Item) -> str:
    return money(item["spec"]["limit"], item["currency"]).strip()


def _scope(spec: Item) -> str:
    parts = [f"deployment {spec['deployment']}"] if spec["deployment"] else []
    parts += [f"pipeline {spec['pipeline']}"] if spec["pipeline"] else []
    parts += [f"hosts {key}={value}" for key, value in sorted(spec["labels"].items())]
    return clean(", ".join(parts) or "everything deployed", 80)
