"""Cost as people read it: reasons instead of zeros, hostile names cleaned."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from chalicelib.domain.cost.answer import CostAnswer
from chalicelib.domain.cost.hours import StreamHour
from chalicelib.domain.cost.payback import Investment, payback
from chalicelib.domain.cost.projection import Total
from chalicelib.domain.cost.report import Stream, Terms, cost_report
from chalicelib.domain.pricebooks import PRICE_BOOKS, price_book
from phoenix_cli.commands.price_book import sendable
from phoenix_cli.documents import read_document
from phoenix_cli.show.cost.cost import cost_text, price_book_text, price_books_table


def shown(part: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=160, highlight=False).print(part, markup=False)
    return out.getvalue()


def answer(*scrapes: int, fleet: int | None = None, once: float = 0) -> dict[str, Any]:
    streams = [
        Stream(
            f"h{n}\x1b[31m",
            "process-topk-v1 k=20",
            "web",
            15,
            (StreamHour(scope="s", host="h", hour=0, scrapes=s, series=600 * s, paired=s, paired_series=600 * s,
                        reference=7000 * s),) if s else (),
        )
        for n, s in enumerate(scrapes)
    ]  # fmt: skip
    report = cost_report(streams, Terms(price_book("example-2026"), 0, 3600, "the untouched stream", fleet=fleet))
    back = payback(Total(estimate=100.0), Investment(once=once)) if once else None
    return CostAnswer(report=report, payback=back).model_dump(mode="json", by_alias=True)


def test_figures_come_with_book_window_and_assumptions() -> None:
    text = shown(cost_text(answer(240, 240, 240, fleet=100, once=300)))
    assert "example-2026, an example price, not an offer" in text
    assert "1970-01-01 00:00:00 UTC to 1970-01-01 01:00:00 UTC (1h)" in text
    assert "$108 a month on 3 measured hosts" in text
    assert "$3,600 ($3,600 to $3,600) a month for 100 hosts, from 3 measured" in text
    assert "3.0 months" in text
    assert "a month is 730 hours" in text
    assert "\x1b" not in text


def test_what_was_not_measured_is_said_and_is_no_zero() -> None:
    text = shown(cost_text(answer(0, fleet=10)))
    assert "not measured: nothing was measured in the window" in text
    assert "no scrape arrived in the window" in text
    assert "$0" not in text
    assert "no interval: 2 measured hosts" in shown(cost_text(answer(9, 9, fleet=10)))


def test_a_book_written_in_yaml_can_be_sent(tmp_path: Path) -> None:
    """YAML reads a day as a date."""
    file = tmp_path / "acme.yaml"
    file.write_text("name: acme\nasOf: 2026-11-01\ncharges: [{meter: series, tiers: [{price: 4.5}]}]\n")
    assert sendable(read_document(file).value) == {
        "name": "acme",
        "asOf": "2026-11-01",
        "charges": [{"meter": "series", "tiers": [{"price": 4.5}]}],
    }


def test_price_books_show_tiers_and_origin() -> None:
    items = [
        {"book": book.model_dump(mode="json", by_alias=True), "own": False, "public": book.public,
         "headline": book.headline(), "createdAt": None, "createdBy": ""}
        for book in PRICE_BOOKS.values()
    ]  # fmt: skip
    listed = shown(price_books_table(items))
    assert "chronosphere" in listed
    assert "not public" in listed
    grafana = shown(price_book_text(next(i for i in items if i["book"]["name"] == "grafana-cloud-pro")))
    assert "to 100,000" in grafana
    assert "6.5 USD per 1,000" in grafana
    assert "https://grafana.com/pricing/" in grafana
    hidden = shown(price_book_text(next(i for i in items if i["book"]["name"] == "chronosphere")))
    assert "not public" in hidden
