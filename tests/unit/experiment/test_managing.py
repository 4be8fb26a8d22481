"""Who manages an experiment: what differs between two specs, who may ask, how it changes hands."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.managing import Adoption, adopted, differences, only_of
from chalicelib.domain.experiment.state import State
from tests.unit.experiment.made import NOW, experiment, spec

CR = "kubernetes:prod/web/lean/0b1c"


def test_the_same_spec_has_no_differences_and_a_pinned_version_is_none() -> None:
    pinned = spec(candidate={"pipeline": "lean", "version": "3"})
    assert differences(spec(candidate={"pipeline": "lean"}), pinned) == ()
    assert differences(pinned, pinned) == ()


def test_what_differs_is_named_by_its_place_in_the_manifest() -> None:
    other = spec(
        candidate={"pipeline": "process-topk-v1", "parameters": {"k": 20}},
        schedule={"warmUp": 30, "minDuration": 300, "maxDuration": 600, "evaluateEvery": 30},
    )
    assert differences(other, spec()) == ("/spec/candidate/parameters/k", "/spec/schedule/warmUp")
    versioned = spec(candidate={"pipeline": "lean", "version": "4"})
    assert differences(versioned, spec(candidate={"pipeline": "lean", "version": "3"})) == ("/spec/candidate/version",)
    elsewhere = spec(candidate={"pipeline": "other"})
    assert differences(elsewhere, spec(candidate={"pipeline": "lean", "version": "3"})) == (
        "/spec/candidate/pipeline",
        "/spec/candidate/version",
    )


def test_a_person_may_ask_always_and_a_manager_only_of_its_own() -> None:
    own = experiment(State.RUNNING, managed_by=CR)
    only_of(own, None)
    only_of(own, CR)
    with pytest.raises(Conflict, match="managed by kubernetes:prod/web/lean/0b1c, not by kubernetes:other"):
        only_of(own, "kubernetes:other/web/lean/1")
    with pytest.raises(Conflict, match="managed by the API and the CLI"):
        only_of(experiment(State.RUNNING), CR)


def test_an_adoption_says_who_and_from_whom_and_changes_nothing_else() -> None:
    before = experiment(State.RUNNING)
    after = adopted(before, Adoption(managed_by=CR, expected="", spec=spec()), "ops", NOW + 5)
    assert after.managed_by == CR
    event = after.events[-1]
    assert (event.at, event.cause, event.state) == (NOW + 5, "adopt", State.RUNNING)
    assert event.detail == f"adopted for {CR} by ops; it was managed by the API and the CLI"
    assert after.model_copy(update={"managed_by": "", "events": before.events}) == before


def test_an_adoption_once_more_changes_nothing_and_one_from_the_wrong_hands_is_refused() -> None:
    own = experiment(State.RUNNING, managed_by=CR)
    assert adopted(own, Adoption(managed_by=CR, expected=""), "ops", NOW) is own
    with pytest.raises(Conflict, match=r"not by the API and the CLI"):
        adopted(own, Adoption(managed_by="kubernetes:b/c/d/e", expected=""), "ops", NOW)


def test_an_adoption_by_one_that_asks_for_something_else_names_the_fields() -> None:
    asked = spec(candidate={"pipeline": "process-topk-v1", "parameters": {"k": 20}})
    with pytest.raises(Conflict, match=r"/spec/candidate/parameters/k") as refused:
        adopted(experiment(State.RUNNING), Adoption(managed_by=CR, expected="", spec=asked), "ops", NOW)
    assert [problem.pointer for problem in refused.value.problems] == ["/spec/candidate/parameters/k"]


def test_many_differences_are_named_up_to_ten() -> None:
    many = {f"p{number}": number for number in range(14)}
    asked = spec(candidate={"pipeline": "process-topk-v1", "parameters": many})
    with pytest.raises(Conflict, match="and 4 more"):
        adopted(experiment(State.RUNNING), Adoption(managed_by=CR, expected="", spec=asked), "ops", NOW)


@pytest.mark.parametrize("bad", ["a b", "x" * 513, "\n", "-a", "kubernetes:<script>"])
def test_a_manager_is_a_bounded_plain_text(bad: str) -> None:
    with pytest.raises(ValidationError, match="String should match pattern"):
        Adoption(managed_by=bad, expected="")
