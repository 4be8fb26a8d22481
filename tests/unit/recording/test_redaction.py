"""What is taken out of a recording is gone, and never makes two things one."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import InvalidInput
from phoenix_cli.recording.redaction import MARK, Redactor
from tests.unit.recording.scrapes import command_lines, scrape

SALT = b"0" * 32


@pytest.mark.parametrize(
    "line",
    [
        "server --password hunter2 --port 80",
        "server --password=hunter2",
        "server --api-key hunter2",
        "env PGPASSWORD=hunter2 psql",
        "curl -H 'Authorization: Bearer hunter2' https://x",
        "mysql -uroot -phunter2 shop",
        "run https://user:hunter2@example.com/path",
        "agent --token phx_hunter2hunter2hunter2hunter2",
    ],
)
def test_secrets_in_command_lines_are_always_taken_out(line: str) -> None:
    request = scrape(line, "plain --port 80")
    redactor = Redactor([], SALT)
    redactor.apply(request)
    first, second = command_lines(request)
    assert "hunter2" not in first
    assert MARK.search(first)
    assert second == "plain --port 80"
    assert redactor.counts == {"process.command_line": 1}


def test_the_users_patterns_take_out_what_they_match_and_nothing_else() -> None:
    request = scrape("job --customer=acme --n=1", "job --customer=bolt --n=1", "job --customer=acme --n=1")
    redactor = Redactor(["(?<=customer=)[a-z]+"], SALT)
    redactor.apply(request)
    first, second, third = command_lines(request)
    assert first.startswith("job --customer=<redacted:")
    assert first.endswith("> --n=1")
    assert first == third
    assert first != second, "different processes stay different"
    assert redactor.counts == {"process.command_line": 2}


def test_two_secrets_stay_two_and_one_stays_one() -> None:
    redactor = Redactor([], SALT)
    one, two = redactor.text("a --password=x1"), redactor.text("a --password=x2")
    assert one != two
    assert one == redactor.text("a --password=x1")


def test_the_salt_decides_the_hash() -> None:
    first, second = (Redactor(["secret"], salt).text("a secret") for salt in (SALT, b"1" * 32))
    assert first != second


def test_names_and_owners_are_redacted_too_and_pids_never() -> None:
    request = scrape("1 2 3", name="acme-db")
    redactor = Redactor(["acme", "www", "[0-9]"], SALT)
    redactor.apply(request)
    said = {pair.key: pair.value for pair in request.resource_metrics[0].resource.attributes}
    assert said["process.pid"].int_value == 1
    assert said["process.executable.name"].string_value.endswith("-db")
    assert set(redactor.counts) == {"process.executable.name", "process.owner", "process.command_line"}


@pytest.mark.parametrize(("pattern", "what"), [("(", "not a regular"), ("a*", "empty text"), ("x" * 501, "longer")])
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        Redactor([pattern], SALT)


def test_long_and_odd_texts_are_taken_in_stride() -> None:
    redactor = Redactor(["z+"], SALT)
    for text in ("", "\x00\x1b[31m", "password=" * 5000, "é" * 9000, "\ud800"):
        assert isinstance(redactor.text(text), str)
