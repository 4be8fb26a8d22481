"""Predicted against realised, as text: what is not known says so, and nothing reaches the terminal as it is."""

from __future__ import annotations

from rich.console import Console

from chalicelib.domain.prediction.prediction import Prediction
from chalicelib.domain.prediction.realised import compared
from phoenix_cli.show.experiment.prediction import NO_PREDICTION, prediction_rows, prediction_view
from tests.unit.prediction.made import conditions, draft, figures
from tests.unit.show.made import evaluation_of, experiment_in


def prediction(**fields: object) -> Prediction:
    made = draft(**fields)
    said = {name: getattr(made, name) for name in type(made).model_fields}
    return Prediction(**said, uid="u", created_at=1e9, created_by="ann")


def shown(view: object) -> str:
    console = Console(width=160, no_color=True)
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def test_each_figure_stands_beside_what_was_measured() -> None:
    experiment, evaluation = experiment_in(), evaluation_of()
    assert evaluation.series.mean is not None
    hosts = len(experiment.hosts)
    found = compared(prediction(baseline=figures("process-baseline-v1", 1000.0)), experiment, evaluation)
    rows = {label: cells for label, *cells in prediction_rows(found)}
    measured = evaluation.series.mean.baseline / hosts
    assert rows["baseline series per scrape and host"][:2] == ["1,000.0", f"{measured:,.1f}"]
    assert rows["reduction"][2].endswith(" points")
    assert rows["critical db"][0] == "100 %"


def test_before_anything_is_measured_the_realised_side_says_so() -> None:
    found = compared(prediction(), experiment_in(), None)
    assert {cells[1] for _, *cells in prediction_rows(found)} == {"not known"}
    assert {cells[2] for _, *cells in prediction_rows(found)} == {"–"}


def test_no_prediction_is_a_sentence() -> None:
    assert shown(prediction_view(None)).strip() == NO_PREDICTION


def test_a_hostile_recording_cannot_write_to_the_terminal() -> None:
    made = prediction(conditions=conditions(host="\x1b[31mevil\n"))
    text = shown(prediction_view(compared(made, experiment_in(), None)))
    assert "\x1b" not in text
    assert "?[31mevil?" in text
