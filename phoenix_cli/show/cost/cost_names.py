"""Cost by process name as people read it. Names come from hosts: data, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from phoenix_cli.show.figures import clean, duration, money, percent, plural, sentence, whole
from phoenix_cli.show.tables import table

SHOWN = 25


def names_text(report: Mapping[str, Any]) -> Group:
    """The dearest names, the rest in one line, and what it rests on."""
    book = report["priceBook"]

    def amount(value: float) -> str:
        return money(value, book["currency"])

    names = report["names"]
    rows = [
        (
            clean(row["name"] or "(no name)"),
            str(row["hosts"]),
            whole(row["series"]),
            amount(row["perMonth"]),
            percent(row["share"]),
        )
        for row in names[:SHOWN]
    ]
    if left := names[SHOWN:]:
        rows.append(
            (
                f"{len(left)} more",
                "",
                whole(sum(row["series"] for row in left)),
                amount(sum(row["perMonth"] for row in left)),
                percent(sum(row["share"] for row in left)),
            )
        )
    example = ", an example price, not an offer" if book["example"] else ""
    recorded = (
        f"{plural(report['hosts'], 'host')}, {plural(report['scrapes'], 'scrape')}, {duration(report['seconds'])}"
    )
    head = [
        f"recorded    {recorded}",
        f"price book  {book['name']}{example}, as of {book['asOf']}",
        f"cost        {amount(report['perMonth'])} a month for {whole(report['series'])} series",
    ]
    if report["fixedPerMonth"]:
        head.append(
            f"            of it {amount(report['fixedPerMonth'])} for hosts and flat fees, which no process causes"
        )
    assumptions = [Text("rests on", style="bold"), *(Text(f"  {sentence(line)}") for line in report["assumptions"])]
    return Group(
        *map(Text, head),
        Text(""),
        table(rows, ("process", "hosts>", "series>", "a month>", "share>")),
        Text(""),
        *assumptions,
    )
