"""Lists for people: one function per noun, from the API's JSON objects to a table.

No state is interpreted here beyond its wording. Cells are rich `Text`, never markup: names and errors come from hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from phoenix_cli.show import loads
from phoenix_cli.show.figures import age, clean, percent, plural, sentence

Item = Mapping[str, Any]
_GOOD = frozenset({"active", "completed", "promote", "running", "healthy", "yes"})
_BAD = frozenset({"failed", "reject", "error", "unhealthy", "away", "rolled_back"})


def table(rows: Iterable[Sequence[str | Text]], columns: Sequence[str]) -> Table:
    """A plain table; columns whose name ends in ">" are set to the right. Strings are data, never markup."""
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        right = name.endswith(">")
        out.add_column(Text(name.removesuffix(">")), justify="right" if right else "left", overflow="fold")
    for row in rows:
        out.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell, 300)) for cell in row))
    return out


def hosts_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Hosts and how their collectors are. now: Unix seconds, for ages; without it times are shown."""
    columns = ("host", "connected", "collector", "runs", "labels", "last seen", "note")
    return table((_host(item, now) for item in items), columns)


def _host(item: Item, now: float | None) -> tuple[str | Text, ...]:
    healthy = item.get("collectorHealthy")
    health = "unknown" if healthy is None else "healthy" if healthy else "unhealthy"
    connected = "yes" if item.get("connected") else "never" if item.get("lastSeen") is None else "away"
    quarantine = item.get("quarantine") or []
    note = (
        item.get("unreachable")
        or item.get("collectorError")
        or (f"{plural(len(quarantine), 'failed configuration')} remembered" if quarantine else "")
    )
    return (
        item["name"],
        word(connected),
        word(health).append(f" {clean(item.get('collectorVersion') or '', 20)}", style="dim"),
        _runs(item),
        _pairs(item.get("labels") or {}),
        age(item.get("lastSeen"), now),
        clean(sentence(note), 100),
    )


def _runs(item: Item) -> str:
    if item.get("experiment"):
        return f"experiment {item['experiment']}"
    if item.get("deployment"):
        return f"deployment {item['deployment']}"
    return "idle"


def pipelines_table(items: Iterable[Item]) -> Table:
    """Pipelines, the catalog's and one's own: parameters with default and bounds."""
    columns = ("pipeline", "version", "source", "what it does", "parameters (default, bounds)")
    return table((_pipeline(item) for item in items), columns)


def _pipeline(item: Item) -> tuple[str, ...]:
    source = item["source"] + (", and in the catalog: use it with its version" if item.get("ambiguous") else "")
    return (item["name"], item["version"], source, item["title"], _parameters(item.get("parameters") or []))


def _parameters(parameters: Iterable[Item]) -> str:
    return ", ".join(_parameter(one) for one in parameters) or "none"


def _parameter(one: Item) -> str:
    low, high = one.get("minimum"), one.get("maximum")
    numeric = one["type"] in ("int", "number", "bytes", "share") and low is not None and high is not None
    bounds = f" ({low:g}–{high:g})" if numeric else ""
    default = one["default"]
    if isinstance(default, list):
        default = f"{plural(len(default), 'pattern')}"
    elif isinstance(default, bool):
        default = str(default).lower()
    return f"{one['name']}={clean(default, 30)}{bounds}"


def deployments_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Deployments and how many of their hosts have proven the current version."""
    columns = ("deployment", "pipeline", "version>", "hosts active>", "state", "since", "note")
    return table((_deployment(item, now) for item in items), columns)


def _deployment(item: Item, now: float | None) -> tuple[str | Text, ...]:
    statuses: Mapping[str, Item] = item.get("status") or {}
    active = sum(one["status"] == "active" for one in statuses.values())
    bad = {host: one for host, one in statuses.items() if one["status"] in _BAD}
    state = (
        "active" if statuses and active == len(statuses) else next(iter(bad.values()))["status"] if bad else "settling"
    )
    if not statuses:
        state = "no hosts"
    versions = item.get("versions") or []
    current = next((one for one in versions if one["number"] == item["current"]), None)
    note = "; ".join(f"{host}: {one['status']} {one.get('error') or ''}".strip() for host, one in sorted(bad.items()))
    return (
        item["name"],
        item.get("pipeline") or "",
        str(item["current"]),
        f"{active}/{len(statuses)}",
        word(state),
        age(current["createdAt"], now) if current else "",
        clean(sentence(note), 100),
    )


def experiments_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Experiments with their verdicts; one that is not decided shows none. Who manages them, where anything does."""
    items = list(items)
    managers = any(item.get("managedBy") for item in items)
    columns = (
        "experiment",
        "state",
        "verdict",
        "reduction",
        "left",
        "baseline",
        "candidate",
        "hosts>",
        "created",
        "note",
        *(["managed by"] if managers else []),
    )
    shown = ((*_experiment(item, now), *([_manager(item)] if managers else [])) for item in items)
    return table(shown, columns)


def _experiment(item: Item, now: float | None) -> tuple[str | Text, ...]:
    outcome, progress = item.get("outcome") or {}, item.get("progress") or {}
    waits = "" if outcome else progress.get("waitingFor") or ""
    return (
        item["name"],
        word(item["state"]),
        word(outcome["verdict"]) if outcome else Text("–", style="dim"),
        _reduction(progress),
        "" if outcome else _left(progress),
        _arm(item["spec"]["baseline"]),
        _arm(item["spec"]["candidate"]),
        str(len(item.get("hosts") or [])),
        age(item["createdAt"], now),
        clean(sentence(f"waits for {waits}" if waits else item.get("message") or ""), 60),
    )


def _manager(item: Item) -> str:
    """Without the uid of a resource, which nobody reads; `experiment show` has all of it."""
    manager: str = item.get("managedBy") or "–"
    return manager.rpartition("/")[0] if manager.startswith("kubernetes:") and manager.count("/") == 3 else manager


def _reduction(progress: Item) -> str:
    """ "91.0 % [90.5, 91.5]"; without an interval the estimate alone."""
    value, low, high = (progress.get(key) for key in ("value", "low", "high"))
    if value is None:
        return "–"
    return percent(value) if low is None or high is None else f"{percent(value)} [{low * 100:.1f}, {high * 100:.1f}]"


def _left(progress: Item) -> str:
    left = progress.get("minutesLeft")
    return f"{left['low']:.0f}–{left['high']:.0f} min" if left else ""


def _arm(arm: Item) -> str:
    version = f" version {arm['version']}" if arm.get("version") else ""
    return " ".join(
        [arm["pipeline"] + version, *(f"{k}={v}" for k, v in sorted((arm.get("parameters") or {}).items()))]
    )


def loadsims_table(items: Iterable[Item], now: float | None = None) -> Table:
    """Loads: what was asked, what really runs."""
    said = ("phase", "processes>", "starts/s>", "restarts>", "since", "reported", "note")
    return table((_loadsim(item, now) for item in items), ("load", "host", "profile", "stage", *said))


def _loadsim(item: Item, now: float | None) -> tuple[str | Text, ...]:
    status, spec = item["status"], item["spec"]
    phase = status["phase"]
    stopping = item.get("desired") == "stopped" and phase not in ("stopped", "failed")
    return (
        item["name"],
        item["host"],
        spec["profile"],
        loads.stage(status),
        word("stopping" if stopping else phase),
        loads.processes(item),
        loads.rates(status),
        str(status.get("restarts", 0)),
        age(item["createdAt"], now),
        age(item.get("reportedAt"), now),
        clean(sentence(status.get("reason") or ""), 80),
    )


def word(value: str) -> Text:
    """A state as people read it: "warming up"; green when good, red when bad."""
    style = "green" if value in _GOOD else "red" if value in _BAD else ""
    return Text(clean(value.replace("_", " ")), style=style)


def _pairs(labels: Mapping[str, str]) -> str:
    return " ".join(f"{clean(key, 30)}={clean(value, 30)}" for key, value in sorted(labels.items()))
