"""The status of an Experiment resource: what is shown of an experiment, and which changes become events."""

from __future__ import annotations

import pytest

from chalicelib.domain.evaluation.result.summary import Kept
from chalicelib.domain.experiment.state import State
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from chalicelib.domain.kubernetes.resource import MAX_MESSAGE, ConditionStatus
from operators.experiments.resource import read
from operators.experiments.seen import ShownProgress
from operators.experiments.status import Note, bounded, dumped, mirrored, notes, reduction, retention, told
from tests.unit.operators_experiments.made import NOW, OURS, resource, shown

PROGRESS = {"target": 0.5, "value": 0.923, "low": 0.832, "high": 0.965, "critical": {"kept": 108, "of": 108}}


def test_a_verdict_with_its_figures_is_mirrored() -> None:
    parts = {"outcome": {"verdict": "promote", "reason": "x"}, "progress": PROGRESS, "message": "promoted"}
    status = mirrored(resource(), shown(State.COMPLETED, **parts), NOW)
    assert (status.verdict, status.reduction, status.retention) == ("promote", "92.3 % [83.2, 96.5]", "108/108")
    assert {one.type: (one.status.value, one.reason) for one in status.conditions} == {
        "Ready": ("False", "Completed"),
        "Complete": ("True", "Completed"),
    }


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        (State.RUNNING, "True"),
        (State.PROMOTING, "True"),
        (State.PAUSED, "False"),
        (State.AWAITING_PROMOTION, "False"),
        (State.ROLLING_BACK, "False"),
        (State.FAILED, "False"),
    ],
)
def test_ready_means_that_it_goes_on_by_itself(state: State, ready: str) -> None:
    status = mirrored(resource(), shown(state), NOW)
    assert {one.type: one.status.value for one in status.conditions}["Ready"] == ready


def test_what_was_not_measured_is_no_number() -> None:
    assert (reduction(None), reduction(ShownProgress()), retention(None), retention(ShownProgress())) == ("",) * 4
    assert reduction(ShownProgress(value=-0.1)) == "-10.0 %"
    cut = ShownProgress(critical=Kept(kept=9, of=10, what="process-scrapes"))
    assert retention(cut) == "9/10 process-scrapes"


def test_an_answer_of_a_newer_control_plane_is_read_for_what_is_known() -> None:
    assert shown(State.RUNNING, novelty={"a": 1}, outcome=None).state is State.RUNNING


def test_messages_are_bounded_and_have_no_control_characters() -> None:
    assert bounded("a\x1b[31m\nb") == "a [31m b"
    assert len(bounded("x" * 5000)) == MAX_MESSAGE


def test_an_event_for_a_new_state_a_verdict_and_falling_out_of_step() -> None:
    before = mirrored(resource(), shown(State.DECIDING), NOW)
    after = mirrored(resource(), shown(State.AWAITING_PROMOTION, outcome={"verdict": "promote"}, message="go"), NOW)
    assert notes(before, after) == [Note("AwaitingPromotion", "go"), Note("Verdict", "promote")]
    assert notes(after, after) == []
    apart = told(resource(), after, "Synced", ConditionStatus.UNKNOWN, "Unreachable", "since x", NOW)
    assert notes(after, apart) == [Note("Unreachable", "since x", warning=True)]
    again = told(resource(), after, "Synced", ConditionStatus.TRUE, "Synced", "", NOW)
    assert notes(apart, again) == [Note("Synced", "Synced")]
    assert notes(after, again) == []


def test_the_manifest_is_the_file_that_the_cli_takes_and_the_manager_names_this_very_resource() -> None:
    cr = resource()
    assert (cr.manifest["metadata"], cr.manager) == ({"name": "lean", "labels": {"team": "platform"}}, OURS)
    assert cr.finalizers(hold=False) == ("other.io/one",)
    assert cr.finalizers(hold=True) == ("other.io/one", "phoenix.io/experiment")


def test_a_status_that_is_not_known_is_written_anew() -> None:
    thing = {**resource().thing, "status": {"state": "dancing"}}
    assert read(thing, "prod").status == ExperimentStatus()


def test_a_status_without_a_state_has_none() -> None:
    assert "state" not in dumped(ExperimentStatus())
