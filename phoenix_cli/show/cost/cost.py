"""Cost and price books as people read them: figures first, then what they rest on. No figure is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from phoenix_cli.show.figures import clean, day_and_time, duration, money, percent, plural, sentence, whole
from phoenix_cli.show.tables import table

Item = Mapping[str, Any]
_MOST_HOSTS = 50
NOT_MEASURED = "not measured"


def price_books_table(items: Iterable[Item]) -> Table:
    """Price books, one line each."""
    return table(
        (
            (
                item["book"]["name"],
                item["headline"],
                "example" if item["book"]["example"] else "own" if item["own"] else "public list",
                item["book"]["asOf"],
                item["book"]["title"],
            )
            for item in items
        ),
        ("price book", "main price", "kind", "as of", "title"),
    )


def price_book_text(item: Item) -> Group:
    """One price book with every charge."""
    book = item["book"]
    lines = [
        f"{book['name']}: {clean(book['title'], 200)}",
        f"  as of     {book['asOf']}   currency {book['currency']}" + ("   an example, no offer" * book["example"]),
        f"  source    {sentence(book['source'])}",
    ]
    lines += [f"  note      {sentence(text)}" for text in book["notes"]]
    if not item["public"]:
        lines.append("  prices    not public: make a book from your contract with phoenix price-book create")
        return Group(*map(Text, lines))
    return Group(*map(Text, lines), Text(""), _charges(book))


def _charges(book: Item) -> Table:
    def rows() -> Iterable[tuple[str, ...]]:
        for charge in book["charges"]:
            low = 0.0
            for tier in charge["tiers"]:
                up = tier["upTo"]
                span = "any" if up is None and not low else f"above {low:,.0f}" if up is None else f"to {up:,.0f}"
                yield (
                    charge["meter"],
                    span,
                    f"{tier['price']:g} {book['currency']} per {charge['per']:,g}",
                    _free(charge),
                )
                low = up or low

    return table(rows(), ("charged", "quantity", "price a month>", "included>"))


def _free(charge: Item) -> str:
    parts = [f"{charge['included']:,g}"] if charge["included"] else []
    parts += [f"{charge['includedPerHost']:,g} a host"] if charge["includedPerHost"] else []
    parts += [f"{charge['pointsPerMinute']:g} point a minute and series"] if charge["pointsPerMinute"] else []
    return ", ".join(parts)


def cost_text(answer: Item) -> Group:
    """The whole answer."""
    report = answer["report"]
    parts: list[Text | Table] = [*map(Text, _head(report)), Text("")]
    if report["hosts"]:
        parts += [_hosts(report), Text("")]
    if len(report["pipelines"]) > 1:
        parts += [_pipelines(report), Text("")]
    if waiting := answer["pendingHours"]:
        parts += [Text(f"pending     {waiting:,} hours of hosts are not added up yet: ask again in a minute"), Text("")]
    parts += map(Text, [*_projection(report), *_realised(answer, report), *_payback(answer, report)])
    parts += [Text("rests on", style="bold"), *(Text(f"  {sentence(line)}") for line in report["assumptions"])]
    return Group(*parts)


def _head(report: Item) -> list[str]:
    book = report["priceBook"]
    window = f"{day_and_time(report['windowStart'])} to {day_and_time(report['windowEnd'])}"
    lines = [f"window      {window} ({duration(report['windowEnd'] - report['windowStart'])})"]
    example = ", an example price, not an offer" if book["example"] else ""
    lines.append(f"price book  {book['name']}{example}, as of {book['asOf']}")
    if report["perMonth"] is None:
        return [*lines, f"cost        {NOT_MEASURED}: {sentence(report['reason'])}"]
    measured = [row for row in report["hosts"] if row["perMonth"] is not None]
    lines.append(
        f"cost        {_money(report['perMonth'], report)} a month on {plural(len(measured), 'measured host')}"
    )
    saved = report["savedPerMonth"]
    against = f"against {sentence(report['reference'])}"
    if saved is None:
        lines.append(f"saved       {NOT_MEASURED}: {report['reference']} was not counted in the window")
    else:
        lines.append(
            f"saved       {_money(saved, report)} a month {against} ({_money(report['referencePerMonth'], report)})"
        )
    return lines


def _money(amount: float, report: Item) -> str:
    return money(amount, report["priceBook"]["currency"])


def _hosts(report: Item) -> Table:
    rows = sorted(report["hosts"], key=lambda row: (row["perMonth"] is None, -(row["perMonth"] or 0.0)))
    shown = rows[:_MOST_HOSTS]
    cells: list[tuple[str, ...]] = []
    for row in shown:
        if row["scrapes"] == 0:
            cells.append((row["host"], row["pipeline"], "–", "–", "–", "–", "–", sentence(row["reason"])))
            continue
        reference = row["reference"]
        cells.append(
            (
                row["host"],
                row["pipeline"],
                whole(row["series"]),
                "–" if reference is None else whole(reference),
                "–" if row["perMonth"] is None else _money(row["perMonth"], report),
                "–" if row["savedPerMonth"] is None else _money(row["savedPerMonth"], report),
                "–" if row["coverage"] is None else percent(row["coverage"], 0),
                "",
            )
        )
    if more := len(rows) - len(shown):
        cells.append((f"and {more} more", "", "", "", "", "", "", "--output json has all"))
    columns = ("host", "pipeline", "series>", "reference>", "a month>", "saved>", "coverage>", "note")
    return table(cells, columns)


def _pipelines(report: Item) -> Table:
    return table(
        (
            (
                row["pipeline"],
                str(row["hosts"]),
                whole(row["series"]),
                _money(row["perMonth"], report),
                "–" if row["savedPerMonth"] is None else _money(row["savedPerMonth"], report),
            )
            for row in report["pipelines"]
        ),
        ("pipeline", "hosts>", "series>", "a month>", "saved>"),
    )


def _projection(report: Item) -> list[str]:
    found = report["projection"]
    if found is None:
        asked = report["projectionReason"] not in ("", "not asked for")
        return [f"fleet       no projection: {sentence(report['projectionReason'])}"] if asked else []
    hosts = f"{found['hosts']:,} hosts, from {found['measured']} measured"
    lines = [f"fleet       {_total(found['perMonth'], report)} a month for {hosts}"]
    if found["savedPerMonth"] is not None:
        lines.append(
            f"            saves {_total(found['savedPerMonth'], report)} a month against {report['reference']}"
        )
    if found["series"]["reason"]:
        lines.append(f"            {found['series']['reason']}")
    return [*lines, *(f"            {sentence(text)}" for text in found["assumptions"]), ""]


def _total(total: Item, report: Item) -> str:
    if total["low"] is None:
        return _money(total["estimate"], report)
    return f"{_money(total['estimate'], report)} ({_money(total['low'], report)} to {_money(total['high'], report)})"


def _realised(answer: Item, report: Item) -> list[str]:
    found = answer["realised"]
    if found is None:
        return []
    since = f"since {day_and_time(found['since'])}, {duration(found['hostHours'] * 3600)} of hosts measured"
    lines = [f"so far      {_money(found['saved'], report)} saved {since}"]
    return [*lines, *(f"            {sentence(text)}" for text in found["assumptions"]), ""]


def _payback(answer: Item, report: Item) -> list[str]:
    found = answer["payback"]
    if found is None:
        return []
    spent = found["investment"]
    terms = f"{_money(spent['once'], report)} once, {_money(spent['perMonth'], report)} a month"
    if found["months"] is None:
        return [f"payback     {found['reason']} ({terms})", ""]
    span = f" ({_months(found['best'])} to {_months(found['worst'])})" if found["best"] is not None else ""
    year = f"; first year {percent(found['roiFirstYear'], 0)}" if found["roiFirstYear"] is not None else ""
    note = f"; {found['reason']}" if found["reason"] else ""
    return [f"payback     {_months(found['months'])}{span} for {terms}{year}{note}", ""]


def _months(months: float | None) -> str:
    return "never" if months is None else f"{months:,.1f} months"
