"""Figures: no rounding up to whole, no sign of a character that does not print."""

from __future__ import annotations

import pytest

from phoenix_cli.show import figures


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (figures.whole_share(9_999, 10_000), "99.9 %"),
        (figures.whole_share(999_999, 1_000_000), "99.9 %"),
        (figures.whole_share(10, 10), "100 %"),
        (figures.whole_share(0, 10), "0.0 %"),
        (figures.whole_share(0, 0), "not measured"),
        (figures.percent(0.9194), "91.9 %"),
        (figures.percent(-0.5), "−50.0 %"),
        (figures.percent(-3e21), "under −1,000 %"),
        (figures.size(81.4 * 1024**2), "81 MiB"),
        (figures.size(1536), "1.5 KiB"),
        (figures.size(3), "3 B"),
        (figures.money(409.2, "USD"), "$409"),
        (figures.money(-4.2, "CHF"), "−CHF 4.20"),
        (figures.duration(0), "0s"),
        (figures.duration(6.2), "6.2s"),
        (figures.duration(90), "1m 30s"),
        (figures.duration(3600), "1h"),
        (figures.duration(86400 + 3 * 3600 + 59), "1d 3h"),
        (figures.age(None, 5), "never"),
        (figures.age(5, 5.2), "now"),
        (figures.age(5, 65), "1m ago"),
        (figures.age(0, None), "1970-01-01 00:00:00 UTC"),
        (figures.day_and_time(1e18), "second 1000000000000000000"),
        (figures.clean("a\x1b[2J\u202eb\n"), "a?[2J?b?"),
        (figures.clean("x" * 70), "x" * 63 + "…"),
        (figures.sentence("a\n\tb\x00c"), "a b c"),
        (figures.plural(1, "host"), "1 host"),
        (figures.plural(2, "process", "processes"), "2 processes"),
    ],
)
def test_a_figure_is_written(written: str, said: str) -> None:
    assert written == said
