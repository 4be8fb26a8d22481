"""What a host says of a load, in words and as a table: processes and rates beside those asked, the stage of a scenario.
Strings come from hosts: data, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from phoenix_cli.show.figures import clean, duration

Item = Mapping[str, Any]


def processes(item: Item) -> str:
    """ "298/300": alive of those asked for now; of the request's count where the host does not say."""
    status = item["status"]
    asked = status.get("asked")
    return f"{status.get('running', 0)}/{item['spec']['count'] if asked is None else asked}"


def stage(status: Item) -> str:
    """ "storm 2/5"; empty for a load that is no scenario."""
    here = status.get("stage")
    return f"{clean(here['name'], 40)} {here['number']}/{here['of']}" if here else ""


def rates(status: Item) -> str:
    """ "24.9/25": starts a second, achieved of those asked; "–" while too little was counted to say."""
    found = status.get("rates")
    return f"{found['starts']:.3g}/{found['asked']:.3g}" if found else "–"


def in_words(item: Item) -> str:
    """What runs, for a line of text: "298/300 processes, stage storm 2/5, 24.9/25 starts a second"."""
    status = item["status"]
    parts = [f"{processes(item)} processes", f"stage {stage(status)}" if stage(status) else ""]
    if (status.get("rates") or {}).get("asked"):
        parts.append(f"{rates(status)} starts a second")
    return ", ".join(filter(None, parts))


def profiles_table(items: list[dict[str, Any]]) -> Table:
    """Profiles and scenarios with their defaults; "–" where the request itself says it."""
    shown = Table("profile", "kind", "count", "busy", "critical", "restarts/min", "starts/s", "what", box=None)
    for item in items:
        numbers = (item[key] for key in ("count", "busy", "critical", "restartsPerMinute", "startsPerSecond"))
        cells = ("–" if number is None else f"{number:g}" for number in numbers)
        shown.add_row(item["name"], "scenario" if item["scenario"] else "profile", *cells, item["summary"])
    return shown


def stages_table(stages: list[dict[str, Any]]) -> Table:
    """The stages that a request will go through."""
    shown = Table("stage", "lasts", "profile", "count", "busy", "restarts/min", "starts/s", "groups", box=None)
    for one in stages:
        numbers = (f"{one[key]:g}" for key in ("count", "busy", "restartsPerMinute", "startsPerSecond"))
        groups = ", ".join(f"{group['count']} × {group['nameTemplate']}" for group in one["groups"])
        shown.add_row(one["name"], duration(one["lasts"]), one["profile"], *numbers, groups)
    return shown
