"""A step: one failure never stops the others, and only what failed is delivered again."""

from __future__ import annotations

from chalicelib.jobs.step import Step
from chalicelib.ports.queue import Work, encode

GOOD, BAD = (Work(kind="EXPERIMENT", tenant="default", name=name) for name in ("good", "bad"))


def stepper(done: list[str]) -> Step:
    def step(tenant: str, name: str) -> None:
        if name == "bad":
            raise RuntimeError("no")
        done.append(name)

    return Step({"EXPERIMENT": step})


def test_one_failure_leaves_the_others_done_and_is_named() -> None:
    done: list[str] = []
    assert stepper(done)([BAD, GOOD]) == [BAD]
    assert done == ["good"]


def test_a_message_is_well_only_when_all_of_it_is() -> None:
    step = stepper([])
    assert step.message(encode([GOOD]))
    assert not step.message(encode([GOOD, BAD]))


def test_a_message_that_cannot_be_read_fails_alone() -> None:
    step = stepper([])
    assert not step.message("not json")
    assert not step.message('[{"kind": "EXPERIMENT"}]')


def test_work_of_an_unknown_kind_is_dropped_and_not_delivered_for_ever() -> None:
    assert stepper([])([Work(kind="OTHER", tenant="default", name="x")]) == []
