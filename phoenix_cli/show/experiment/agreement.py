"""The agreement of two sources as people read it. Names come from hosts and servers: data, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from phoenix_cli.show.figures import clean, duration, plural, whole
from phoenix_cli.show.tables import table

MAX_SHOWN = 100
MAX_LOST = 10


def agreement_text(found: Mapping[str, Any]) -> Group:
    """A summary, a row for each arm of each host, and the critical processes that were not found."""
    head = [
        f"experiment  {clean(found['experiment'])}",
        f"edge        what its collectors counted, over {duration(found['end'] - found['start'])}",
        f"there       {clean(found['source'])}",
        f"result      {_result(found)}",
    ]
    arms = found["arms"]
    rows = [_row(arm) for arm in arms[:MAX_SHOWN]]
    parts: list[RenderableType] = [*map(Text, head)]
    if rows:
        columns = ("host", "arm", "scrapes>", "compared>", "equal>", "edge>", "there>", "difference>", "critical>")
        parts += [Text(""), table(rows, columns)]
    if len(arms) > MAX_SHOWN:
        parts.append(Text(f"and {len(arms) - MAX_SHOWN} more; see them with --output json"))
    lost = [(arm, process) for arm in arms for process in arm["lost"]]
    for arm, process in lost[:MAX_LOST]:
        parts.append(
            Text(
                f"not there: {clean(process['name'])} (pid {process['pid']}, {clean(process['pattern'])}) of "
                f"{clean(arm['host'])}, {arm['variant']}, in {plural(process['scrapes'], 'scrape')}"
            )
        )
    return Group(*parts)


def _result(found: Mapping[str, Any]) -> str:
    if not found["compared"]:
        return f"nothing to compare: {clean(found['reason'])}"
    relative = found["relative"]
    share = f" ({relative:+.4%})" if relative is not None else ""
    return (
        f"{found['equal']} of {plural(found['compared'], 'compared scrape')} equal to the point; "
        f"{found['difference']:+,} of {whole(found['edgePoints'])} points{share}, at most {whole(found['largest'])} in "
        f"a scrape; {found['scrapes'] - found['compared']} not compared"
    )


def _row(arm: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        clean(arm["host"]),
        str(arm["variant"]),
        str(arm["scrapes"]),
        str(arm["compared"]),
        str(arm["equal"]),
        whole(arm["edgePoints"]),
        whole(arm["therePoints"]),
        f"{arm['difference']:+,}",
        f"{arm['thereCritical']}/{arm['edgeCritical']}",
    )
