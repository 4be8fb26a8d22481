"""The catalog as a folder: `<name>/metadata.yaml` and `<name>/collector.yaml`, read and checked once, at construction.

Meaning is the domain's (`domain.pipeline.metadata`); here stand reading, and naming the file and line of a mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, NotFound, Problem
from chalicelib.domain.pipeline.metadata import BUILT_IN, CatalogMetadata, PipelineTemplate
from chalicelib.domain.pipeline.parameters import resolve_parameters
from chalicelib.domain.pipeline.references import find_references
from chalicelib.domain.pipeline.rendering import placeholders

_TEMPLATE_KEYS = {"processors", "order", "scraperMetrics"}


class FileCatalog:
    """Implements ports.catalog.Catalog over folders of pipelines, Phoenix's own and then a user's.

    Raises InvalidInput naming every broken file with its line, and every name that is taken already.
    """

    def __init__(self, *folders: Path) -> None:
        problems: list[Problem] = []
        self._templates: dict[str, PipelineTemplate] = {}
        self._meant: dict[str, str] = {}
        for folder in folders:
            problems += self._load(folder)
        if problems:
            lines = "; ".join(f"{problem.pointer}: {problem.rule}" for problem in problems)
            raise InvalidInput(f"the catalog cannot be used: {lines}", problems=tuple(problems))

    def _load(self, folder: Path) -> list[Problem]:
        found = sorted(folder.glob("*/metadata.yaml"))
        if not found:
            return [Problem(str(folder), "no pipeline here", "each is a folder with metadata.yaml")]
        problems: list[Problem] = []
        for metadata in found:
            try:
                template = load_pipeline(metadata.parent)
            except InvalidInput as error:
                problems += error.problems
                continue
            problems += self._add(template, metadata)
        return problems

    def _add(self, template: PipelineTemplate, metadata: Path) -> list[Problem]:
        """Takes the template in under its name and its aliases; says which of them are taken."""
        name = template.metadata.name
        names = [name, *template.metadata.aliases]
        taken = [one for one in names if one in self._meant]
        taken += sorted({one for one in names if names.count(one) > 1} - set(taken))
        if not taken:
            self._templates[name] = template
            self._meant.update(dict.fromkeys(names, name))
        return [Problem(str(metadata), f"the name {one} is taken", "give your pipeline another name") for one in taken]

    def names(self) -> list[str]:
        """See Catalog."""
        return sorted(self._templates)

    def get(self, name: str) -> PipelineTemplate:
        """See Catalog. An alias gives the pipeline that it stands for, whose name says which."""
        if name in self._meant:
            return self._templates[self._meant[name]]
        near = difflib.get_close_matches(name, self._meant, n=3, cutoff=0.5)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        known = ", ".join(self.names())
        raise NotFound(f"there is no pipeline {name[:80]!r}", hint=f"{meant}the catalog has {known}")


def load_pipeline(folder: Path) -> PipelineTemplate:
    """One pipeline's folder. Raises InvalidInput; pointers are "file:line"."""
    described, where = _read(folder / "metadata.yaml")
    template, template_where = _read(folder / "collector.yaml")
    if unknown := sorted(set(template) - _TEMPLATE_KEYS):
        raise _broken(template_where, unknown[:1], f"unknown key {unknown[0]!r}", "processors, order, scraperMetrics")
    try:
        metadata = CatalogMetadata.model_validate(described)
    except ValidationError as error:
        raise _invalid(where, error) from error
    try:
        loaded = PipelineTemplate.model_validate({**template, "metadata": metadata})
    except ValidationError as error:
        raise _invalid(template_where, error) from error
    _check(folder, loaded, where, template_where)
    return loaded


class _Where:
    """Finds the line of a path in a YAML file."""

    def __init__(self, path: Path, root: yaml.Node | None) -> None:
        self.path = path
        self._root = root

    def line(self, loc: Sequence[Any]) -> int:
        """1-based line of the deepest node that exists on the path."""
        node, line = self._root, 1
        for step in loc:
            node = self._child(node, step)
            if node is None:
                return line
            line = node.start_mark.line + 1
        return line

    @staticmethod
    def _child(node: yaml.Node | None, step: Any) -> yaml.Node | None:
        if isinstance(node, yaml.MappingNode):
            return next((value for key, value in node.value if key.value == str(step)), None)
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            item: yaml.Node = node.value[step]
            return item
        return None


def _read(path: Path) -> tuple[dict[str, Any], _Where]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(_Where(path, None), (), f"cannot be read: {error}", "a UTF-8 file") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = Problem(f"{path}:{line}", f"not YAML: {error.problem}", "")
        raise InvalidInput(f"{path}:{line}: not YAML: {error.problem}", problems=(problem,)) from error
    where = _Where(path, root)
    if not isinstance(content, dict):
        raise _broken(where, (), "not a mapping", "keys and values")
    return content, where


def _broken(where: _Where, loc: Sequence[Any], rule: str, fix: str) -> InvalidInput:
    pointer = f"{where.path}:{where.line(loc)}"
    return InvalidInput(f"{pointer}: {rule}", problems=(Problem(pointer, rule, fix),))


def _invalid(where: _Where, error: ValidationError) -> InvalidInput:
    problems = tuple(
        Problem(f"{where.path}:{where.line(item['loc'])}", f"{'.'.join(map(str, item['loc']))}: {item['msg']}")
        for item in error.errors()
    )
    return InvalidInput(f"{where.path}: {len(problems)} mistakes", problems=problems)


def _check(folder: Path, template: PipelineTemplate, where: _Where, template_where: _Where) -> None:
    """What the two files promise each other."""
    metadata = template.metadata
    if metadata.name != folder.name:
        raise _broken(where, ["name"], f"name {metadata.name!r} is not the folder's", folder.name)
    declared = {parameter.name for parameter in metadata.parameters}
    used = set(placeholders(template.processors))
    if odd := sorted(used - declared - set(BUILT_IN)):
        raise _broken(template_where, ["processors"], f"@{{{odd[0]}}} is not declared in metadata.yaml", "declare it")
    if odd := sorted(declared - used):
        raise _broken(where, ["parameters"], f"parameter {odd[0]} is used nowhere in collector.yaml", "remove it")
    if found := find_references(template.processors):
        raise _broken(template_where, found[0][0], "a template must not read the environment or files", "a parameter")
    try:
        resolve_parameters(metadata, {})
    except InvalidInput as error:
        raise _broken(where, ["parameters"], f"a default is not legal: {error.problems[0].rule}", "") from error
