"""Whatever template of one's own is taken, no legal value of a parameter changes what it says."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.domain.pipeline.metadata import Parameter, ParameterType
from chalicelib.domain.pipeline.own import PipelineSpec, described, template_of
from chalicelib.domain.pipeline.own_document import document, written
from chalicelib.domain.pipeline.own_rules import check_spec
from chalicelib.domain.pipeline.references import find_references
from chalicelib.domain.pipeline.rendering import Fragment, render
from tests.property.pipelines import legal_parameters

DEFAULTS: dict[str, tuple[ParameterType, Any]] = {
    "s": (ParameterType.STRING, "plain"),
    "r": (ParameterType.REGEX, "^a$"),
    "l": (ParameterType.REGEXES, ["a", "b"]),
    "k": (ParameterType.INT, 3),
    "b": (ParameterType.BOOL, True),
}
PIECES = st.sampled_from(
    [
        "@{s}", "@{r}", "@{l}", "@{k}", "@{k-1}", "@{b}", "@{", "}", '"', '\\"', "\\", '"x"', "$", "$$", "${", "{",
        ' == ', "IsMatch(name, ", ")", " or ", "set(", ", ", "\n", "a",
    ]
)  # fmt: skip
STATEMENTS = st.lists(PIECES, min_size=1, max_size=8).map("".join)


def spec_of(statements: list[str]) -> PipelineSpec:
    """One transform with these statements, every parameter used once elsewhere, where it may stand."""
    used = [{"key": name, "value": f"@{{{name}}}", "action": "upsert"} for name in DEFAULTS]
    processors = {"transform/a": {"metric_statements": [{"statements": statements}]}, "resource": {"attributes": used}}
    parameters = [
        Parameter(name=name, type=kind, minimum=0, maximum=20 if name == "l" else 400, default=default, description="d")
        for name, (kind, default) in DEFAULTS.items()
    ]
    body = {"title": "t", "description": "d", "parameters": parameters, "order": list(processors)}
    return PipelineSpec.model_validate({**body, "processors": processors})


LEXED = re.compile(
    r'(?P<text>"(?:\\.|[^"\\])*")|(?P<number>(?<![\w.])-?\d+(?:\.\d+)*)|(?P<truth>\b(?:true|false)\b)', re.DOTALL
)


def shape(fragment: Fragment) -> list[str]:
    """The statements as the transformation language's lexer sees them, with every literal blank."""
    (group,) = fragment.at(15)["transform/a"]["metric_statements"]
    return [LEXED.sub("<value>", one if isinstance(one, str) else str(one).lower()) for one in group["statements"]]


@given(statements=st.lists(STATEMENTS, min_size=1, max_size=2), data=st.data())
@settings(max_examples=100)
def test_a_template_that_is_taken_cannot_be_broken_by_its_parameters(
    statements: list[str], data: st.DataObject
) -> None:
    spec = spec_of(statements)
    assume(not check_spec(spec))
    template = template_of(described("own", "1", spec), spec)
    filled = render(template, data.draw(legal_parameters(template.metadata)))
    assert shape(filled) == shape(render(template, {}))
    assert find_references(filled.at(15)["transform/a"]) == []


@given(statements=st.lists(st.text(max_size=20), min_size=1, max_size=2))
@settings(max_examples=50)
def test_a_template_that_is_taken_survives_its_export(statements: list[str]) -> None:
    spec = spec_of(statements)
    assume(not check_spec(spec))
    assert written(yaml.safe_load(document("own", spec))).spec == spec
