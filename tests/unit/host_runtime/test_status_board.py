"""What is told about start errors, and in which order."""

from __future__ import annotations

from phoenix_cli.host_runtime.start_errors import StartError
from phoenix_cli.host_runtime.status_board import MOST_UNDELIVERED, SILENCE_SECONDS, CollectorError, StatusBoard

BAD = StartError("Error: bad", "m1")


def test_a_new_error_is_a_change_and_stays_until_the_collector_runs() -> None:
    board = StatusBoard()
    board.failed(BAD, 10.0)
    assert board.changed.is_set()
    assert board.pending(11.0) == CollectorError("Error: bad", 10.0, "m1")
    assert not board.delivered()
    assert board.pending(12.0) == CollectorError("Error: bad", 10.0, "m1")
    board.runs()
    assert board.pending(13.0) is None


def test_the_same_error_again_is_no_change_but_newer() -> None:
    board = StatusBoard()
    board.failed(BAD, 10.0)
    board.delivered()
    board.changed.clear()
    board.failed(BAD, 15.0)
    assert not board.changed.is_set()
    assert board.pending(16.0) == CollectorError("Error: bad", 15.0, "m1")


def test_a_cured_error_that_nobody_heard_of_is_told_before_its_end() -> None:
    board = StatusBoard()
    board.failed(BAD, 10.0)
    board.runs()
    assert board.pending(11.0) == CollectorError("Error: bad", 10.0, "m1")
    assert board.delivered()
    assert board.pending(11.0) is None
    assert not board.delivered()


def test_silence_means_that_it_runs() -> None:
    board = StatusBoard()
    board.failed(BAD, 10.0)
    board.delivered()
    assert board.pending(10.0 + SILENCE_SECONDS) is not None
    assert board.pending(10.1 + SILENCE_SECONDS) is None


def test_what_waits_is_bounded() -> None:
    board = StatusBoard()
    for number in range(100):
        board.failed(StartError(f"Error: {number}", None), float(number))
    sent = 1
    while board.delivered():
        sent += 1
    assert sent == MOST_UNDELIVERED
