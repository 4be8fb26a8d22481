"""Preview and recommendation on a made-up recording: what they say is what brute force says; what is lost is named."""

from __future__ import annotations

import json

import yaml

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import ExperimentManifest
from chalicelib.domain.prediction.report import PreviewReport
from phoenix_cli.commands.preview import EXIT_CRITICAL_LOST
from phoenix_cli.recording.reader import Recording
from phoenix_cli.show.pipelines.preview import preview_view
from tests.acceptance.command_line import Phoenix
from tests.catalog import brute
from tests.catalog.history import History
from tests.functional.recording.in_process import refusal, text_of
from tests.functional.recording.lossy import lossy_catalog

CRITICAL = ("--critical", "^critical-")
PATTERNS = (CriticalPattern(name="^critical-"),)
Made = tuple[Recording, History]


def scrapes_of(recording: Recording) -> list[brute.Scrape]:
    return brute.scrapes_of([resource for request in recording.requests() for resource in request.resource_metrics])


def test_a_preview_says_what_would_be_sent_and_what_disappears(phoenix: Phoenix, made_up: Made) -> None:
    recording, _ = made_up
    words = ("pipeline", "preview", "process-topk-v1", "--param", "k=2", "-r", str(recording.path), *CRITICAL)
    found = phoenix.data(*words)
    scrapes = scrapes_of(recording)
    sent = [[row for row in one.without_helper() if row.pid in brute.top_k(one, 2, PATTERNS)] for one in scrapes]
    assert found["candidate"]["points"] == sum(map(len, sent))
    assert found["candidate"]["series"]["most"] == max(map(len, sent))
    assert found["against"]["points"] == sum(len(one.without_helper()) for one in scrapes)
    assert found["raw"]["mean"] * len(scrapes) == found["against"]["points"]
    assert found["candidate"]["differentSeries"] == len({_series(row) for rows in sent for row in rows})
    kept = found["candidate"]["critical"][0]
    seen = sum(len(brute.criticals(one, PATTERNS)) for one in scrapes)
    assert (kept["seen"], kept["kept"], found["missedTotal"]) == (seen, seen, 0)
    gone = {row.name for one in scrapes for row in one.rows} - {row.name for rows in sent for row in rows}
    assert found["names"]["goneTotal"] == len(gone)
    assert set(found["names"]["gone"]) <= gone
    assert found["source"] == "the catalog of this installation"
    shown = text_of(preview_view(PreviewReport.model_validate(found)))
    assert "100 %" in shown
    assert all(char.isprintable() or char == "\n" for char in shown), "a name reached the terminal as it is"


def _series(row: brute.Row) -> tuple[object, ...]:
    return row.identity[0], row.metric, row.state, row.direction


def test_a_version_that_is_not_here_is_refused(phoenix: Phoenix, made_up: Made) -> None:
    said = phoenix("pipeline", "preview", "process-topk-v1", "--version", "3", "-r", str(made_up[0].path), code=1)
    assert "process-topk-v1 has version" in said.err
    assert "not 3" in said.err


def test_a_lost_critical_is_named_and_gives_an_exit_code_of_its_own(phoenix: Phoenix, made_up: Made) -> None:
    recording, _ = made_up
    own = lossy_catalog(phoenix.folder)
    words = ("pipeline", "preview", "my-lossy", "--catalog", str(own), "-r", str(recording.path), *CRITICAL)
    said = phoenix(*words, "-o", "json", code=EXIT_CRITICAL_LOST)
    found = json.loads(said.out)
    lost = [
        (number, pid)
        for number, scrape in enumerate(scrapes_of(recording))
        for pid in sorted(brute.criticals(scrape, PATTERNS))
        if brute.scores(scrape)[1][pid] < 20_480
    ]
    assert lost, "the history has none to lose"
    assert [(one["scrape"], one["pid"]) for one in found["missed"]] == lost[:20]
    assert found["missedTotal"] == len(lost)
    assert "LOST" in text_of(preview_view(PreviewReport.model_validate(found)))


def test_a_recommendation_ranks_the_sound_ones_and_writes_the_experiment(phoenix: Phoenix, made_up: Made) -> None:
    recording, _ = made_up
    own = lossy_catalog(phoenix.folder)
    words = ("pipeline", "recommend", "-r", str(recording.path), "--catalog", str(own), *CRITICAL)
    found = json.loads(phoenix(*words, "-o", "json", "--write", "prove.yaml", seconds=280).out)
    ranked = [one for one in found["choices"] if one["place"]]
    money = [one["figures"]["perMonth"] for one in ranked]
    assert money == sorted(money)
    assert len({one["pipeline"] for one in ranked}) == 10, "every pipeline of the catalog keeps its criticals"
    left = {one["pipeline"]: one["why"] for one in found["choices"] if not one["place"]}
    assert set(left) == {"my-lossy"}
    assert left["my-lossy"].startswith("loses critical critical")
    manifest = ExperimentManifest.model_validate(yaml.safe_load((phoenix.folder / "prove.yaml").read_text("utf-8")))
    assert manifest.spec.candidate.pipeline == ranked[0]["pipeline"]
    assert manifest.spec.critical == PATTERNS
    assert manifest.spec.interval == 15


def test_bad_input_is_named(phoenix: Phoenix, made_up: Made) -> None:
    path = str(made_up[0].path)
    (phoenix.folder / "foreign").write_bytes(b"PK\x03\x04")
    for words, what in (
        (("process-topk-v1", "-r", str(phoenix.folder / "foreign")), "no recording"),
        (("process-topk-v1", "-r", str(phoenix.folder / "absent")), "cannot be read"),
        (("process-nope-v1", "-r", path), "did you mean"),
        (("process-topk-v1", "-r", path, "--param", "k=0"), "minimum"),
        (("process-topk-v1", "-r", path, "--critical", "(?=x)"), "RE2"),
        (("process-topk-v1", "-r", path, "--critical", "a", "--critical", "a"), "twice"),
        (("process-topk-v1", "-r", path, "--price-book", "nope"), "example-2026"),
    ):
        assert what in refusal(phoenix, "pipeline", "preview", *words), words
    assert "--critical" in refusal(phoenix, "pipeline", "recommend", "-r", path)
