"""What a user hands over as a pipeline, read and validated: the gate that every version of an own pipeline passes.
Nothing is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import Problem, Rejected, Unavailable
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.pipeline.assembly import standalone
from chalicelib.domain.pipeline.own import described, template_of
from chalicelib.domain.pipeline.own_document import METADATA, Written, written
from chalicelib.domain.pipeline.own_rules import check_spec, refuse
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.validation.findings import Finding, Report, Severity
from chalicelib.ports.collector import ConfigReader
from chalicelib.services.pipelines.validation import Validation

_INTERVAL_S = 15.0
_BACKEND = Backend(otlp="https://otlp.example.com/v1/metrics")
"""Validated as a backend would get it; nothing is sent there."""
_NOT_ASKED = "PHX-V011"


@dataclass(frozen=True)
class Draft:
    """What a user hands over. text: a pipeline document, a collector configuration, or with `metadata` the two files
    of a catalog folder. choice: which pipeline of a collector configuration. strict: warnings refuse as well."""

    text: str
    metadata: str | None = None
    choice: str | None = None
    title: str | None = None
    note: str = ""
    critical: tuple[CriticalPattern, ...] = ()
    strict: bool = False


class Drafts:
    """reader: reads files as the collector would."""

    def __init__(self, reader: ConfigReader, validation: Validation) -> None:
        self._reader, self._validation = reader, validation

    def read(self, draft: Draft, title: str = "") -> Written:
        """The pipeline in the file. title: for a form that has none. Raises InvalidInput with pointers into it."""
        tree = self._tree(draft.text, "")
        metadata = self._tree(draft.metadata, METADATA) if draft.metadata is not None else None
        found = written(tree, metadata, draft.choice, draft.title, title)
        problems = [replace(one, pointer=found.place(one.pointer)) for one in check_spec(found.spec)]
        refuse(problems, "this cannot be a pipeline")
        return found

    def validated(self, name: str, found: Written, draft: Draft) -> Report:
        """What validation says about the pipeline as a stock collector would run it with its defaults; findings are
        placed in the user's file.

        Raises Rejected on an error (with `strict` on a warning too), Unavailable when the collector cannot be asked.
        """
        template = template_of(described(name, "1", found.spec), found.spec)
        config = standalone(render(template, {}), draft.critical, _INTERVAL_S, _BACKEND)
        report = self._validation.of_tree(config, draft.critical)
        placed = tuple(
            one.model_copy(update={"pointer": found.place_in_config(one.pointer)}) for one in report.findings
        )
        for one in placed:
            if one.rule == _NOT_ASKED:
                raise Unavailable(f"it cannot be validated: {one.message}", hint=one.fix)
        if bad := [one for one in placed if draft.strict or one.severity is Severity.ERROR]:
            problems = tuple(_problem(one) for one in bad[:20])
            raise Rejected(f"pipeline {name!r} is refused: {bad[0].message}", problems=problems)
        return report.model_copy(update={"findings": placed})

    def _tree(self, text: str, file: str) -> object:
        source = self._reader.read(text)
        refuse(
            [Problem(file, f"line {one.position[0]}: {one.message}") for one in source.faults],
            "the file cannot be read",
        )
        return source.value


def _problem(finding: Finding) -> Problem:
    return Problem(finding.pointer, f"{finding.message} ({finding.rule}, {finding.severity})", finding.fix)
