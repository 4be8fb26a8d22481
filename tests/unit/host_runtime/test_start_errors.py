"""Which lines are a collector's reason for not starting, and which configuration they are about."""

from __future__ import annotations

import json

from phoenix_cli.host_runtime.start_errors import (
    LONGEST_TEXT,
    StartError,
    StartErrors,
    collector_runs,
    supervisor_failure,
    supervisor_is_up,
)

LOG = '2026-01-02T03:04:05.678Z\tinfo\tservice@v0.155.0/service.go:256\tStarting otelcol...\t{"resource": {}}'


def read(*lines: str) -> list[StartError]:
    reader = StartErrors()
    return [e for e in [*(reader.line(line) for line in lines), reader.idle()] if e]


def test_one_line() -> None:
    text = (
        'Error: cannot start pipelines: failed to start "otlp" receiver: listen tcp 127.0.0.1:1: address already in use'
    )
    assert read("phoenix-start abc", LOG, text) == [StartError(text, "abc")]


def test_a_reason_after_a_blank_line_belongs_to_the_error() -> None:
    first, second = (
        "Error: failed to get config: decoding failed due to the following error(s):",
        "'processors' unknown",
    )
    assert read("phoenix-start m", first, "", second) == [StartError(f"{first}\n{second}", "m")]


def test_an_error_belongs_to_the_start_before_it_not_to_the_next() -> None:
    assert read("phoenix-start one", "Error: a", "phoenix-start two", "Error: b") == [
        StartError("Error: a", "one"),
        StartError("Error: b", "two"),
    ]


def test_markers_may_be_quoted_or_absent() -> None:
    assert [e.marker for e in read('phoenix-start "1e5"', "Error: a", "phoenix-start ", "Error: b")] == ["1e5", None]


def test_a_log_alone_is_no_error() -> None:
    assert read("phoenix-start m", LOG, "", "something else") == []


def test_text_is_bounded() -> None:
    (error,) = read("Error: " + "x" * 100_000, *["y" * 1000] * 50)
    assert len(error.text) == LONGEST_TEXT


def test_a_script_that_cannot_start_the_collector_is_an_error() -> None:
    line = "/data/collector-start.sh: 6: exec: /opt/otelcol: not found"
    assert read("phoenix-start m", line) == [StartError(line, "m")]


def test_the_supervisors_own_end() -> None:
    line = "2026/01/02 03:04:05 failed to start supervisor: could not get bootstrap info from the Collector"
    failure = supervisor_failure(line)
    assert failure is not None
    assert failure.text.startswith("supervisor: failed to start supervisor: could not")
    assert supervisor_failure("2026/01/02 03:04:05 all is well") is None


def test_only_the_collectors_own_word_counts_as_running() -> None:
    ready = json.dumps({"msg": "Everything is ready. Begin running and processing data."})
    assert collector_runs(json.dumps({"logger": "supervisor.collector", "msg": ready}))
    assert not collector_runs(json.dumps({"logger": "supervisor", "msg": ready}))
    assert not collector_runs("Everything is ready. Begin running and processing data.")


def test_bootstrap_is_over_when_the_supervisor_says_so() -> None:
    assert supervisor_is_up(json.dumps({"logger": "supervisor", "msg": "Supervisor starting"}))
    assert not supervisor_is_up(json.dumps({"logger": "supervisor.collector", "msg": '"Supervisor starting"'}))
    assert not supervisor_is_up('["Supervisor starting"]')
