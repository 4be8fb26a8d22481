"""No parameter and no critical pattern, however hostile, changes anything but its own literal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline import ottl
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.marker import content_hash, find_marker, stamp
from chalicelib.domain.pipeline.metadata import PipelineTemplate
from chalicelib.domain.pipeline.parameters import resolve_parameters
from chalicelib.domain.pipeline.references import environment_names
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.property.pipelines import HOSTILE, critical_patterns, legal_parameters, template_of_every_type

CATALOG = FileCatalog(Path(__file__).parents[2] / "catalog")
TEMPLATES = [CATALOG.get(name) for name in CATALOG.names()] + [template_of_every_type()]
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)*")
KPI = Kpi(endpoint="https://phoenix.example", scope="exp-1", host="h1")


def skeleton(tree: Any, key: str = "") -> Any:
    """The shape of a configuration: in OTTL, literals as its lexer sees them are blank; so is the one other text that
    a parameter fills. Everything else stays as it is."""
    if isinstance(tree, dict):
        return {name: skeleton(value, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [skeleton(value, key) for value in tree]
    if isinstance(tree, str) and key in ("statements", "conditions", "metric_conditions"):
        return NUMBER.sub("N", STRING.sub("S", tree)).replace("true", "B").replace("false", "B")
    return "text" if key == "value" and isinstance(tree, str) else tree


def expanded(text: str) -> str:
    """What the collector's `${...}` expansion leaves of a text without references."""
    assert "${" not in text
    return text.replace("$$", "$")


def unquoted(literal: str) -> str:
    """What OTTL reads in a string literal (Go's syntax), as far as we write it."""
    found = re.fullmatch(r'"((?:\\.|[^"\\])*)"', literal, re.DOTALL)
    assert found
    simple = {"\\": "\\", '"': '"'}

    def one(match: re.Match[str]) -> str:
        return simple.get(match.group(1)) or chr(int(match.group(1)[1:], 16))

    return re.sub(r'\\(u[0-9a-f]{4}|U[0-9a-f]{8}|[\\"])', one, found.group(1))


def ab(fragment: Fragment, critical: tuple[CriticalPattern, ...]) -> dict[str, Any]:
    baseline = render(CATALOG.get("process-baseline-v1"), {})
    arms = (
        AssemblyArm(variant=Variant.BASELINE, fragment=baseline),
        AssemblyArm(variant=Variant.CANDIDATE, fragment=fragment),
    )
    return assemble(AssemblyRequest(interval_s=5, critical=critical, arms=arms, kpi=KPI))


@given(text=HOSTILE)
def test_a_text_literal_is_read_back_as_the_text(text: str) -> None:
    literal = ottl.text(text)
    assert "\n" not in literal
    assert unquoted(expanded(literal)) == text


@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_literal_is_plain_and_exact(value: float) -> None:
    literal = ottl.number(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?", literal)
    assert float(literal) == float(value)


@given(data=st.data(), template=st.sampled_from(TEMPLATES))
def test_parameters_never_change_the_shape_of_the_configuration(
    data: st.DataObject, template: PipelineTemplate
) -> None:
    given_parameters = data.draw(legal_parameters(template.metadata))
    config = ab(render(template, given_parameters), ())
    assert skeleton(config) == skeleton(ab(render(template, {}), ()))
    assert environment_names(config) == {"PHOENIX_TOKEN"}


@given(critical=critical_patterns())
def test_critical_patterns_stay_inside_their_literals(critical: tuple[CriticalPattern, ...]) -> None:
    fragment = render(CATALOG.get("process-topk-v1"), {})
    config = ab(fragment, critical)
    harmless = tuple(
        CriticalPattern(
            id=f"q{index}",
            name="x" if pattern.name else None,
            command_line="x" if pattern.command_line else None,
            owner="x" if pattern.owner else None,
        )
        for index, pattern in enumerate(critical)
    )
    assert skeleton(config) == skeleton(ab(fragment, harmless))
    assert environment_names(config) == {"PHOENIX_TOKEN"}
    statements = config["processors"]["transform/mark"]["metric_statements"][0]["statements"]
    for pattern, statement in zip(critical, statements, strict=True):
        last = STRING.findall(statement)[-1]
        assert unquoted(expanded(last)) == (pattern.name or pattern.command_line or pattern.owner)


@given(critical=critical_patterns(), data=st.data(), template=st.sampled_from(TEMPLATES))
@settings(max_examples=50)
def test_the_document_reads_back_as_the_configuration(
    critical: tuple[CriticalPattern, ...], data: st.DataObject, template: PipelineTemplate
) -> None:
    fragment = render(template, data.draw(legal_parameters(template.metadata)))
    for config in (ab(fragment, critical), standalone(fragment, critical, 15)):
        assert yaml.safe_load(to_yaml(config, header=("made for a test", "no\nbreak: out"))) == config


SCALARS = HOSTILE | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner), max_leaves=12)


@given(tree=st.dictionaries(HOSTILE, TREES, max_size=4))
def test_any_tree_survives_being_written_down(tree: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(tree)) == tree


@given(data=st.data(), template=st.sampled_from(TEMPLATES), revision=st.integers(0, 10**9))
@settings(max_examples=50)
def test_a_stamped_configuration_is_found_again_and_hashes_the_same(
    data: st.DataObject, template: PipelineTemplate, revision: int
) -> None:
    config = ab(render(template, data.draw(legal_parameters(template.metadata))), ())
    stamped, marker = stamp(config, revision)
    assert find_marker(stamped) == marker
    assert marker == f"{content_hash(config)[:16]}.{revision}"
    assert content_hash(stamped) == content_hash(config)
    assert find_marker(config) is None
    again, other = stamp(stamped, revision + 1)
    assert other != marker
    assert find_marker(again) == other


@given(data=st.data(), template=st.sampled_from(TEMPLATES))
def test_resolving_is_complete_and_stable(data: st.DataObject, template: PipelineTemplate) -> None:
    chosen = data.draw(legal_parameters(template.metadata))
    values = resolve_parameters(template.metadata, chosen)
    assert set(values) == {parameter.name for parameter in template.metadata.parameters}
    assert resolve_parameters(template.metadata, values) == values
