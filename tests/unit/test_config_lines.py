"""Specification of phoenix_cli.config_lines: from the collector's words to the line. The words are real ones, captured
from `otelcol validate` of the pinned version."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Problem, Rejected
from phoenix_cli.config_lines import localised, pointer_of, statements

CONFIG = {
    "receivers": {
        "hostmetrics": {
            "collection_interval": "often",
            "scrapers": {"process": {"metrics": {"process.cpu.utilisation": {}}}},
        },
        "otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:1", "endpont": 2}}},
    },
    "processors": {
        "filtre/x": {},
        "filter/x": {"metric_conditions": ['IsMatch(name, "^x$")', 'IsMatsch(name, "^x$")']},
    },
    "service": {"pipelines": {"metrics": {"receivers": ["otlp"], "processors": ["filter/x", "batch"]}}},
}
DECODING = "failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n"
FOLLOWS = "decoding failed due to the following error(s):\n"


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        (f'{DECODING}\'processors\' unknown type: "filtre" for id: "filtre/x"', "/processors/filtre~1x"),
        (
            f"{DECODING}'receivers' error reading configuration for \"otlp\": {FOLLOWS}'protocols.http' {FOLLOWS}"
            "'otlpreceiver.HTTPConfig' has invalid keys: endpont",
            "/receivers/otlp/protocols/http/endpont",
        ),
        (
            f"{DECODING}'receivers' error reading configuration for \"hostmetrics\": {FOLLOWS}'' error reading "
            f"settings for scraper type \"process\": {FOLLOWS}'metrics' has invalid keys: process.cpu.utilisation",
            "/receivers/hostmetrics/scrapers/process/metrics/process.cpu.utilisation",
        ),
        (
            f"{DECODING}'receivers' error reading configuration for \"hostmetrics\": {FOLLOWS}'' {FOLLOWS}"
            "'collection_interval' time: invalid duration",
            "/receivers/hostmetrics/collection_interval",
        ),
        (
            'service::pipelines::metrics: references processor "batch" which is not configured',
            "/service/pipelines/metrics/processors/1",
        ),
        (
            'processors::filter/x: inferred context "resource" does not support the function "IsMatsch"',
            "/processors/filter~1x/metric_conditions/1",
        ),
        ("something that names nothing", ""),
    ],
)
def test_the_words_lead_to_the_part_they_name(words: str, pointer: str) -> None:
    assert pointer_of(" ".join(statements(words)), CONFIG) == pointer


def test_each_statement_of_the_collector_is_a_problem_of_its_own() -> None:
    words = 'processors::filter/x: wrong\nservice::pipelines::metrics: references processor "batch" which is missing'
    error = localised(Rejected("no", problems=(Problem("/config", words, "see"),)), CONFIG, ("/plan", "/config"))
    assert [problem.pointer for problem in error.problems] == [
        "/processors/filter~1x",
        "/service/pipelines/metrics/processors/1",
    ]
    assert isinstance(error, Rejected)


def test_a_pointer_of_the_request_becomes_a_pointer_of_the_file() -> None:
    error = Rejected("no", problems=(Problem("/plan/config/receivers/otlp", "no token here", "use ${env:…}"),))
    assert localised(error, CONFIG, ("/plan/config", "/plan")).problems == (
        Problem("/receivers/otlp", "no token here", "use ${env:…}"),
    )


def test_a_reference_refused_by_its_pointer_keeps_that_pointer() -> None:
    words = "/receivers/otlp/protocols: reads a file; use the environment"
    error = localised(Rejected("no", problems=(Problem("/config", words),)), CONFIG, ("/config",))
    assert error.problems == (Problem("/receivers/otlp/protocols", "reads a file; use the environment", ""),)
