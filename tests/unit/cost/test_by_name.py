"""Cost by process name, from recordings on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from chalicelib.domain.cost.by_name import MOST_NAMES, OTHERS, Recorded, by_name
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pricebooks import price_book
from phoenix_cli.main import app
from phoenix_cli.recording.cost import recorded
from phoenix_cli.recording.writer import RecordingWriter
from phoenix_cli.show.cost.cost_names import names_text
from tests.unit.recording.scrapes import HEADER, scrape


def one(host: str = "a", scrapes: int = 2, **points: int) -> Recorded:
    return Recorded(host, 15, scrapes, 15.0 * scrapes, points)


def test_names_share_the_bill_by_their_points() -> None:
    found = by_name([one("a", nginx=20, java=60), one("b", nginx=20)], price_book("example-2026"))
    assert [(row.name, row.hosts, row.series, row.share) for row in found.names] == [
        ("java", 1, 30, 0.6),
        ("nginx", 2, 20, 0.4),
    ]
    assert found.names[0].per_month == pytest.approx(1.8)
    assert found.per_month == pytest.approx(3.0)
    assert found.fixed_per_month == 0


def test_fees_for_hosts_are_no_names_and_all_adds_up() -> None:
    found = by_name([one("a", scrapes=1, x=300, y=200), one("b", scrapes=1, x=100)], price_book("datadog-pro"))
    assert found.fixed_per_month == 30
    assert sum(row.per_month for row in found.names) == pytest.approx(4 * 5)
    assert found.per_month == pytest.approx(50)


def test_many_names_end_in_one_row() -> None:
    found = by_name([one(scrapes=1, **{f"n{n:05d}": 1 for n in range(MOST_NAMES + 7)})], price_book("example-2026"))
    assert len(found.names) == MOST_NAMES + 1
    assert (found.names[0].name, found.names[0].series) == (OTHERS, 7)
    assert sum(row.share for row in found.names) == pytest.approx(1)


def test_what_gives_no_figure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="two recordings"):
        by_name([one(x=1), one(x=1)], price_book("example-2026"))
    with pytest.raises(InvalidInput, match="holds a data point"):
        by_name([one()], price_book("example-2026"))
    with pytest.raises(InvalidInput, match="bytes per data point"):
        by_name([one(x=1)], price_book("newrelic-original"))
    assert by_name([one(x=1)], price_book("newrelic-original"), "used", 100).per_month > 0


def test_a_recordings_points_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.phxrec"
    writer = RecordingWriter(path, 1024 * 1024)
    writer.begin(HEADER)
    writer.add(scrape("a", "b").SerializeToString())
    writer.add(scrape("c", name="ev\x1bil", time_ns=10**18 + 15 * 10**9).SerializeToString())
    writer.finish("duration", 1.1e9, {})
    found = recorded(path)
    assert (found.host, found.interval_s, found.scrapes, found.seconds) == ("web-1", 15, 2, 15)
    assert dict(found.points) == {"nginx": 2, "ev\x1bil": 1}
    console = Console(width=150, record=True, file=(tmp_path / "out").open("w"))
    shown = by_name([found], price_book("example-2026")).model_dump(mode="json", by_alias=True)
    console.print(names_text(shown), markup=False)
    text = console.export_text()
    assert "ev?il" in text
    assert "66.7 %" in text
    done = CliRunner().invoke(app, ["cost", "--recording", str(path), "--output", "json"])
    assert done.exit_code == 0
    assert '"name": "nginx"' in done.stdout
    refused = CliRunner().invoke(app, ["cost", "--recording", str(path), "--fleet", "3"])
    assert isinstance(refused.exception, InvalidInput)
