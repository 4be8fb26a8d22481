"""What counts as a fit collector: names, aliases, and listings that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from phoenix_cli.binaries.components import NEEDED, missing_components

MANIFEST = Path(__file__).resolve().parents[3] / "collector" / "otelcol" / "manifest.yaml"


def listing(**changed: list[str]) -> str:
    kinds = {**{kind: list(names) for kind, names in NEEDED.items()}, **changed}
    return yaml.safe_dump(
        {kind: [{"name": n, "module": f"example/{n}"} for n in names] for kind, names in kinds.items()}
    )


def test_a_collector_with_every_needed_component_is_fit() -> None:
    assert missing_components(listing()) == ()


def test_missing_components_are_named_with_their_kind() -> None:
    text = listing(connectors=["forward"], extensions=[])
    assert missing_components(text) == ("connectors/count", "extensions/opamp")


def test_a_newer_spelling_with_underscores_serves_because_the_old_one_stays_an_alias() -> None:
    assert missing_components(listing(receivers=["host_metrics", "otlp"])) == ()


def test_an_older_spelling_does_not_serve() -> None:
    assert missing_components(listing(exporters=["otlphttp", "debug", "nop"])) == ("exporters/otlp_http",)


@pytest.mark.parametrize("text", ["", "usage: something else", "[1, 2]", "a: [", "receivers_are: elsewhere"])
def test_other_output_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="components"):
        missing_components(text)


def test_odd_entries_count_as_missing() -> None:
    document = yaml.safe_load(listing())
    document["receivers"] = ["hostmetrics", 7, None]
    document["connectors"] = "forward"
    missing = missing_components(yaml.safe_dump(document))
    assert set(missing) == {"receivers/hostmetrics", "receivers/otlp", "connectors/forward", "connectors/count"}


def test_the_manifest_builds_all_that_is_needed() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    for kind, names in NEEDED.items():
        modules = {line["gomod"].split()[0].rsplit("/", 1)[1] for line in manifest[kind]}
        suffix = {"connectors": "connector", "extensions": "extension"}.get(kind, kind.removesuffix("s"))
        assert {name.replace("_", "") + suffix for name in names} <= modules
