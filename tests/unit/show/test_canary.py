"""What is shown of a canary: who runs which arm, what it does before, and figures that say what they stand for."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from chalicelib.domain.canary.before import Canary
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.measurement import Variant
from phoenix_cli.show.experiment.compare import compare_table
from phoenix_cli.show.experiment.explaining import explain
from phoenix_cli.show.experiment.status import status_lines
from phoenix_cli.show.report.report import html_report
from tests.unit.canary.made import canary_of, counts_of, lot, names, plan_for_canary
from tests.unit.evaluation.simulated import at
from tests.unit.experiment.made import NOW, experiment, spec

HOSTS = names(6)
CANARY = canary_of(lot(HOSTS), lambda host: 1000.0)


def canary_spec() -> ExperimentSpec:
    return spec(targets={"hosts": list(HOSTS)}, layout="canary", canary={"prePeriod": "10m"})


def made(state: State, **parts: Any) -> Experiment:
    return experiment(state).model_copy(
        update={"spec": canary_spec(), "hosts": HOSTS, "assignment": CANARY.assignment, **parts}
    )


def evaluated(canary: Canary = CANARY) -> Evaluation:
    candidates = {host for host, arm in canary.assignment.arms.items() if arm == "candidate"}
    counts = counts_of(canary, 40, lambda host, number: (100 if host in candidates else 1000) + number % 7)
    return evaluate(plan_for_canary(canary), counts, (), at(615), last=False)


def text_of(found: Any) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(found)
    return console.export_text()


def test_a_draft_says_which_host_is_to_run_which_arm() -> None:
    lines = status_lines(made(State.DRAFT), None, NOW)
    (line,) = [one for one in lines if one.startswith("  arms ")]
    for arm in (Variant.CANDIDATE, Variant.BASELINE):
        assert f"{arm} {', '.join(CANARY.assignment.of(arm))}" in line
    assert "seed 1" in line


def test_the_pre_period_is_explained_with_the_time_that_it_has_left() -> None:
    before = explain(made(State.WARMING_UP, before_since=NOW), None, NOW + 60)[0]
    assert "Every host runs the baseline and is measured for 10m, 9m of it to come" in before.sentences[0]
    after = explain(made(State.WARMING_UP, before=CANARY.before), None, NOW)[0]
    assert "Every collector runs its arm" in " ".join(after.sentences)


def test_the_numbers_say_what_widens_the_interval() -> None:
    experiment = made(State.RUNNING, before=CANARY.before)
    said = " ".join(sentence for section in explain(experiment, evaluated(), NOW) for sentence in section.sentences)
    assert "the candidate's 3 hosts with the baseline's 3 hosts" in said
    assert "How the hosts differ widens the interval by" in said


def test_a_comparison_and_a_report_say_that_the_figures_are_for_the_candidates_hosts() -> None:
    experiment = made(State.RUNNING, before=CANARY.before)
    table = text_of(compare_table(experiment, evaluated()))
    assert "the candidate's 3 hosts" in table
    page = html_report(experiment, evaluated(), None, (), now=NOW)
    assert "each host on one pipeline, by lot" in page
    assert "not run here" in page
    assert "paired scrape" not in page
