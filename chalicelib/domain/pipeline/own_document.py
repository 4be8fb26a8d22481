"""Reading what a user hands over as a pipeline, whichever of its forms it has: Phoenix's own document, the two files of
a catalog folder, or a plain collector configuration. And where in that file a problem of the pipeline stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.pipeline.collector_file import LeftOut, Taken, is_collector_file, take
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.own import DocumentName, PipelineDocument, PipelineSpec
from chalicelib.domain.pipeline.own_rules import refuse
from chalicelib.domain.pipeline.references import pointer

METADATA = "/metadata.yaml"
"""Under this pointer stand problems of a folder's metadata.yaml; all others are of its collector.yaml."""
_TEMPLATE = ("processors", "order", "scraperMetrics")
_NOT_KEPT = {
    "version": "Phoenix counts the versions of your own pipelines",
    "changelog": "each version has its own note: --note",
    "effect": "measured figures belong to the pipeline that was measured",
    "aliases": "your own pipelines have one name",
}


class Form(StrEnum):
    """What a file is."""

    DOCUMENT = "document"
    FOLDER = "folder"
    COLLECTOR = "collector"


@dataclass(frozen=True)
class Written:
    """A pipeline as a file gave it. name: the one in the file, if it has one. pipeline: id of the collector pipeline
    that was taken, "" for the other forms."""

    form: Form
    spec: PipelineSpec
    name: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    pipeline: str = ""

    def place(self, at: str) -> str:
        """Where in the file a pointer into the spec leads."""
        first = at.strip("/").partition("/")[0]
        if self.form is Form.DOCUMENT:
            return "/spec" + at
        if self.form is Form.FOLDER:
            return at if first in _TEMPLATE else METADATA + at
        if first == "order":
            return pointer(("service", "pipelines", self.pipeline, "processors"))
        return at if first == "processors" else "/receivers" if first == "scraperMetrics" else ""

    def place_in_config(self, at: str) -> str:
        """Where in the file a pointer into the rendered configuration leads: its processors are the file's own."""
        if at.startswith("/processors/"):
            return self.place(at)
        return self.place("/order") if at.startswith("/service/") else ""


def written(
    tree: Any, metadata: Any = None, choice: str | None = None, title: str | None = None, untitled: str = ""
) -> Written:
    """The pipeline in a file. metadata: of a folder's metadata.yaml, None for one file. choice: which pipeline of a
    collector configuration. title: in place of the file's; untitled: for a collector configuration, which has none.

    Raises InvalidInput; pointers are into the file (METADATA for a folder's other file).
    """
    if metadata is not None:
        return _folder(tree, metadata, title)
    if is_collector_file(tree):
        return _collector(take(tree, choice), title or untitled)
    if choice is not None:
        rule = "this is no collector configuration: there is no pipeline to choose"
        refuse([Problem("", rule, "leave --pipeline out")], "the file")
    if not isinstance(tree, Mapping) or "spec" not in tree:
        rule = "neither a pipeline document nor a collector configuration"
        fix = "a document has apiVersion, kind: Pipeline, metadata and spec; a configuration has receivers and service"
        refuse([Problem("", rule, fix)], "the file")
    document = _valid(PipelineDocument, tree, "")
    return Written(Form.DOCUMENT, _titled(document.spec, title), document.metadata.name)


def document(name: str, spec: PipelineSpec) -> str:
    """The pipeline as a file that makes the same one again, with what is default left out."""
    value = PipelineDocument(metadata=DocumentName(name=name), spec=spec)
    body = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    body["spec"] |= {"order": list(spec.order), "processors": spec.processors}
    return to_yaml({"apiVersion": value.api_version, "kind": value.kind, **body})


def _folder(template: Any, metadata: Any, title: str | None) -> Written:
    if not isinstance(metadata, Mapping):
        refuse([Problem(METADATA, "not a mapping", "keys and values")], "metadata.yaml")
    if not isinstance(template, Mapping):
        refuse([Problem("", "not a mapping", "processors, order and scraperMetrics")], "collector.yaml")
    unknown = [
        Problem(pointer((str(one),)), f"unknown key {one!r}", "processors, order, scraperMetrics")
        for one in template
        if one not in _TEMPLATE
    ]
    refuse(unknown, "collector.yaml")
    kept = {name: value for name, value in metadata.items() if name not in (*_NOT_KEPT, "name")}
    both = [name for name in kept if name in _TEMPLATE]
    refuse([Problem(f"{METADATA}/{name}", "belongs into collector.yaml", "move it") for name in both], "metadata.yaml")
    name = _valid(DocumentName, {"name": metadata.get("name")}, METADATA).name
    spec = _valid(PipelineSpec, {**kept, "order": (), "processors": {}, **template}, "", METADATA)
    left_out = tuple(
        LeftOut(pointer=f"{METADATA}/{one}", what=one, why=_NOT_KEPT[one]) for one in metadata if one in _NOT_KEPT
    )
    return Written(Form.FOLDER, _titled(spec, title), name, left_out)


def _collector(taken: Taken, title: str) -> Written:
    names = ", ".join(taken.order)
    body = {
        "title": title or "From a collector configuration",
        "description": f"Pipeline {taken.pipeline} of a collector configuration: {names}"[:4000],
        "order": taken.order,
        "processors": taken.processors,
        "scraperMetrics": taken.scraper_metrics,
    }
    return Written(Form.COLLECTOR, _valid(PipelineSpec, body, ""), None, taken.left_out, taken.pipeline)


def _titled(spec: PipelineSpec, title: str | None) -> PipelineSpec:
    return spec.model_copy(update={"title": title}) if title else spec


def _valid(model: Any, tree: Any, prefix: str, others: str | None = None) -> Any:
    """The tree as a value of the model. others: prefix of what does not stand in a template."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        problems = tuple(_problem(one, prefix, others) for one in found[:20])
        raise InvalidInput(f"{problems[0].pointer}: {problems[0].rule}", problems=problems) from error


def _problem(found: Any, prefix: str, others: str | None) -> Problem:
    loc = found["loc"]
    first = loc[0] if loc else ""
    before = others if others is not None and first not in _TEMPLATE else prefix
    rule = found["msg"].removeprefix("Value error, ")
    fixes = {"extra_forbidden": "remove it, or correct its spelling", "missing": "add it"}
    if found["type"] == "extra_forbidden":
        rule = f"unknown field {str(loc[-1])!r}"
    elif found["type"] == "missing":
        rule = "required, but missing"
    return Problem(before + pointer(loc), rule, fixes.get(found["type"], ""))
