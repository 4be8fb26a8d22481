"""The agreement of two sources as people read it: figures, what is missing, and hostile names as text."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from phoenix_cli.show.experiment.agreement import agreement_text

ARM: dict[str, Any] = {
    "host": "web-1",
    "variant": "candidate",
    "scrapes": 12,
    "compared": 10,
    "equal": 9,
    "edgePoints": 2000,
    "therePoints": 1999,
    "difference": -1,
    "edgeCritical": 20,
    "thereCritical": 19,
    "lost": [{"pattern": "nginx", "name": "[red]evil\x1b[31m", "pid": 7, "scrapes": 1}],
}
FOUND: dict[str, Any] = {
    "experiment": "web",
    "source": "Prometheus at http://x",
    "start": 0,
    "end": 600,
    "arms": [ARM],
    "scrapes": 12,
    "compared": 10,
    "equal": 9,
    "edgePoints": 2000,
    "therePoints": 1999,
    "difference": -1,
    "relative": -0.0005,
    "largest": 1,
    "reason": "",
}


def shown(found: dict[str, Any]) -> str:
    console = Console(width=160, no_color=True)
    with console.capture() as capture:
        console.print(agreement_text(found))
    return capture.get()


def test_the_figures_and_what_is_not_there() -> None:
    text = shown(FOUND)
    assert "9 of 10 compared scrapes equal to the point; -1 of 2,000 points (-0.0500%), at most 1 in a scrape" in text
    assert "2 not compared" in text
    assert "19/20" in text
    assert "not there: [red]evil" in text
    assert "\x1b" not in text


def test_nothing_to_compare_is_said_with_its_reason() -> None:
    text = shown({**FOUND, "arms": [], "compared": 0, "relative": None, "reason": "the source has no sample"})
    assert "nothing to compare: the source has no sample" in text


def test_a_thousand_rows_are_cut() -> None:
    assert "and 900 more" in shown({**FOUND, "arms": [{**ARM, "lost": []}] * 1000})
