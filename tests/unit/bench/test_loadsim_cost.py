"""What the benchmark of simulated load makes of its counters. Nothing is started here."""

from __future__ import annotations

import pytest

from bench.loadsim import COLUMNS, Cost, _row, notes, of_stress
from bench.report import Table


def cost(generator: float, spawner: float, processes: float) -> Cost:
    return Cost(10.0, 300, 300, generator, spawner, processes)


def test_the_goal_is_judged_by_what_the_generator_and_its_spawner_use() -> None:
    assert "met, generator and spawner use 7.0%" in notes([cost(0.2, 0.5, 0.6)])[0]
    assert "themselves, to become what they are and to end, 13.0%" in notes([cost(0.2, 0.5, 0.6)])[0]
    assert "missed, generator and spawner use 11.0%" in notes([cost(0.6, 0.5, 0.0)])[0]


def test_stress_ng_s_metrics_are_one_process_an_operation() -> None:
    said = {"bogo-ops": 339, "wall-clock-time": 1.0, "user-time": 0.125, "system-time": 0.109}
    found = of_stress(said)
    assert (found.starts, found.ends, found.seconds) == (339, 339, 1.0)
    assert found.processes == pytest.approx(0.234)


def test_a_row_is_medians_and_what_was_not_measured_is_empty() -> None:
    rows = [_row("a", 1000, 30.0, [cost(0.1, 0.2, 0.3), cost(0.3, 0.2, 0.3)]), _row("b", None, None, [])]
    assert rows[0][3:] == pytest.approx((30.0, 30.0, 2.0, 2.0, 4.0, 3.0, 1000 * 0.7 / 300))
    assert set(rows[1][1:]) == {None}
    assert "–" in Table("t", COLUMNS, tuple(rows)).text()
