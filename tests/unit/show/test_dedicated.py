"""An experiment in dedicated mode, shown: each arm's own collector, their ratios, the cost of measuring."""

from __future__ import annotations

import io
import json

from rich.console import Console

from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.measurement import Variant
from phoenix_cli.show.experiment.compare import compare_document, compare_table, evaluation_in
from phoenix_cli.show.experiment.facts import measuring_fact, overhead_fact
from phoenix_cli.show.report.report import html_report
from tests.unit.evaluation.test_evaluation_dedicated import both, look, own_counters
from tests.unit.show.made import experiment_in

ARMS = (own_counters(Variant.BASELINE, 0.02, 60), own_counters(Variant.CANDIDATE, 0.05, 90, seed=2))
FOUND = look(both(40), (*ARMS[0], *ARMS[1]))


def test_each_arm_its_ratio_and_the_cost_of_measuring_are_said() -> None:
    text = overhead_fact(FOUND).text
    assert "baseline 2.0 % of a core, 61 MiB" in text
    assert "candidate 5.0 % of a core, 91 MiB" in text
    assert "CPU candidate/baseline 2.5" in text
    measuring = measuring_fact(FOUND)
    assert measuring is not None
    assert measuring.text.startswith("second collectors 5.0 % of a core, 90 MiB   ")
    early = overhead_fact(look(both(6), (*ARMS[0][:6], *ARMS[1][:6]), second=92))
    assert "CPU candidate/baseline: too early" in early.text


def test_comparison_and_report_show_both_collectors() -> None:
    experiment = experiment_in(hosts=("node-01",))
    out = Console(width=160, file=io.StringIO())
    out.print(compare_table(experiment, FOUND))
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    assert "2.00 % of a core" in shown
    assert "measuring  second collectors" in shown
    page = html_report(experiment, FOUND, None, (), now=FOUND.evidence.window.end_ns / 1e9)
    assert "node-01, candidate" in page
    assert "Cost of measuring" in page


def test_the_export_is_read_back_and_verified() -> None:
    document = json.loads(json.dumps(compare_document(experiment_in(hosts=("node-01",)), FOUND)))
    read = evaluation_in(document)
    assert read == FOUND
    assert read is not None
    assert differences(read) == ()
