"""What every validator keeps to: the real collector, and the fake that stands in for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.domain.errors import Unavailable
from chalicelib.ports.collector import ConfigValidator
from phoenix_cli.binaries.resolve import resolve_collector
from tests.fakes.validator import FakeValidator

SOUND: Mapping[str, Any] = {
    "receivers": {"nop": {}},
    "exporters": {"nop": {}},
    "service": {"pipelines": {"metrics": {"receivers": ["nop"], "exporters": ["nop"]}}},
}
UNSOUND: Mapping[str, Any] = {**SOUND, "exporters": {"frobnicator": {}}}


def real() -> ConfigValidator:
    return CollectorValidator(resolve_collector(os.environ, print))


def fake() -> ConfigValidator:
    made = FakeValidator()
    made.refusals["frobnicator"] = "unknown type: frobnicator"
    return made


def real_missing() -> ConfigValidator:
    return CollectorValidator(Path("/nowhere/otelcol"))


def fake_missing() -> ConfigValidator:
    made = FakeValidator()
    made.missing = True
    return made


@pytest.mark.parametrize("make", [real, fake])
def test_a_sound_configuration_is_none_and_an_unsound_one_words(make: Callable[[], ConfigValidator]) -> None:
    validator = make()
    assert validator.validate(SOUND) is None
    words = validator.validate(UNSOUND)
    assert words is not None
    assert "frobnicator" in words
    assert len(words) <= 2000
    assert validator.validate(UNSOUND) == words
    assert validator.validate(SOUND) is None


@pytest.mark.parametrize("make", [real_missing, fake_missing])
def test_without_a_collector_there_is_no_answer(make: Callable[[], ConfigValidator]) -> None:
    with pytest.raises(Unavailable):
        make().validate(SOUND)


def test_a_node_s_configuration_is_judged_without_its_variables() -> None:
    """A host's name is text and an address an address, though neither is known where it is validated."""
    config = {
        **SOUND,
        "exporters": {"prometheus_remote_write": {"endpoint": "${env:PHOENIX_BACKEND_DEPLOYED_URL}"}},
        "service": {
            "telemetry": {"resource": {"phoenix.host": "${env:PHOENIX_HOST}"}},
            "pipelines": {"metrics": {"receivers": ["nop"], "exporters": ["prometheus_remote_write"]}},
        },
    }
    assert real().validate(config) is None
