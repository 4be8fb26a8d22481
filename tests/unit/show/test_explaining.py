"""The explanation: for every state, for every reason, in sentences that say nothing that was not measured."""

from __future__ import annotations

import json
import random

import pytest

from chalicelib.domain.evaluation.result.result import Evaluation, Reason
from chalicelib.domain.experiment.state import END_STATES, Outcome, State
from phoenix_cli.show.experiment import explaining
from phoenix_cli.show.experiment.explaining import explain, explain_document, explain_lines
from tests.unit.evaluation.simulated import scrapes
from tests.unit.show.made import OPEN, decided, evaluation_of, experiment_in, harm


def said(state_or_experiment: object, evaluation: Evaluation | None, now: float = OPEN + 800) -> str:
    experiment = (
        experiment_in().model_copy(update={"state": state_or_experiment})
        if isinstance(state_or_experiment, State)
        else state_or_experiment
    )
    return "\n".join(explain_lines(experiment, evaluation, now))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_sentences_with_and_without_an_evaluation(state: State) -> None:
    ended = {"ended_at": OPEN + 900, "message": "a person stopped it"} if state in END_STATES else {}
    experiment = experiment_in().model_copy(update={"state": state, **ended})
    for evaluation in (None, evaluation_of(9)):
        sections = explain(experiment, evaluation, OPEN + 1000)
        assert sections[0].title == "Where it stands"
        texts = [text for section in sections if section.title != "Next" for text in section.sentences]
        assert [text for text in texts if not (text[:1].isupper() or text[:1].isdigit())] == []
        assert "None" not in said(experiment, evaluation)
        document = explain_document(experiment, evaluation, OPEN + 1000)
        assert json.loads(json.dumps(document)) == document
        assert document["state"] == state.value


def test_every_reason_has_a_rule() -> None:
    assert {str(reason) for reason in Reason} <= {str(key) for key in explaining._RULES}


def test_a_promotion_says_rule_numbers_and_what_would_have_changed_it() -> None:
    found = evaluation_of()
    text = said(decided(experiment_in(), found), found)
    assert "The verdict is promote: Series reduction 91.0 %" in text
    assert "Rule 5, the target: promote when the whole interval of every criterion reaches it." in text
    assert "lies on the far side of the target of 50.0 %" in text
    assert "widened 12.9 times after 13.0 minutes of looks at every scrape" in text
    assert f"On this data every target up to {found.reduction.low:.1%}".replace("%", " %") in text
    assert "would have rejected it all the same" in text
    assert "not about others (claim: hosts-like-these)" in text
    assert "Waits" not in text
    assert text.endswith("phoenix pipeline rollback web-topk")


def test_a_breach_says_that_no_saving_makes_up_for_it() -> None:
    found = harm()
    text = said(decided(experiment_in(), found), found)
    assert "The verdict is reject: payments-worker (pid 4312, node-02" in text
    assert "Rule 2, something broke" in text
    assert "No saving makes up for this" in text
    assert "phoenix pipeline show process-topk-v1 --rendered" in text


def undecided(series: object) -> Evaluation:
    return evaluation_of(60, ("node-01",), counts=scrapes(0, 60, series=series), min_minutes=5)


def test_an_undecided_one_says_how_long_and_how_many_hosts() -> None:
    close = undecided(lambda i: (7000, 7000, random.Random(i).randint(2600, 4000)))
    assert close.reason == "undecided"
    text = said(experiment_in(hosts=("node-01",)), close, OPEN + 905)
    assert "What it waits for" in text
    assert "across the target of 50.0 %" in text
    assert "more minutes, roughly" in text
    assert "hosts like these it would be settled now" in text
    assert "so near the target" in text


def test_too_close_to_the_target_is_said_to_be_undecidable() -> None:
    close = undecided((7000, 7000, 3500))
    assert "not decidable here" in said(experiment_in(hosts=("node-01",)), close, OPEN + 905)


def test_a_fleet_that_differs_asks_for_hosts() -> None:
    names = ("a", "b", "c")
    levels = dict(zip(names, (300, 2400, 5000), strict=True))
    counts = [c for host, b in levels.items() for c in scrapes(0, 60, host=host, series=(7000, 7000, b))]
    found = evaluation_of(60, names, counts=counts, target=0.6, claim="hosts-like-these")
    text = said(experiment_in(hosts=names), found, OPEN + 905)
    assert "more minutes do not help; more hosts do" in text
    assert "It is about hosts like these" in text


def test_an_end_without_a_verdict_says_why_from_the_record() -> None:
    failed = experiment_in().model_copy(
        update={
            "state": State.ROLLED_BACK,
            "ended_at": OPEN,
            "deployed_at": OPEN - 60,
            "window_start": None,
            "message": "collector refused it: unknown processor \x1b[31m",
        }
    )
    text = said(failed, None)
    assert "It ended without a verdict: collector refused it: unknown processor" in text
    assert "\x1b" not in text
    missing = Outcome(verdict="error", reason="no_evaluation", explanation="no last evaluation in time", at=OPEN)
    assert "could not be made in time" in said(failed.model_copy(update={"outcome": missing}), None)


def test_a_later_look_does_not_replace_the_verdict_of_record() -> None:
    found = evaluation_of()
    text = said(decided(experiment_in(), found), harm())
    assert "The verdict is promote" in text
    assert "A later look says, on its own: payments-worker" in text


def test_a_limit_that_is_near_holds_and_says_so() -> None:
    found = evaluation_of(53, ("node-01",), collector_cpu=0.019)
    assert found.reason == "guardrail_near_limit"
    assert "A promotion is held back until this is clear" in said(experiment_in(hosts=("node-01",)), found)
