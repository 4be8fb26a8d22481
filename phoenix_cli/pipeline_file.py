"""A pipeline on this machine as its user wrote it: one file, or a folder in the catalog's form. What it means is the
control plane's to say; here it is read, and what is said about it gets the lines of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from chalicelib.domain.errors import InvalidInput, PhoenixError, Problem
from chalicelib.domain.pipeline.own_document import METADATA
from phoenix_cli.documents import lines_of, read_text


@dataclass(frozen=True)
class PipelineFile:
    """text: of the file, or of the folder's collector.yaml; metadata: of its metadata.yaml. lines: JSON pointer to
    1-based line of the text, those of the metadata under METADATA."""

    name: str
    text: str
    metadata: str | None = None
    metadata_name: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def of(self, pointer: str) -> tuple[str, int | None]:
        """The file that a pointer leads into, and the line of its deepest part that is there; None for all of it."""
        name = self.metadata_name if (pointer + "/").startswith(METADATA + "/") else self.name
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return name, self.lines.get(pointer) if pointer else None

    def explained(self, error: PhoenixError) -> PhoenixError:
        """The error with what `phoenix_cli.problems` needs to name file and line."""
        error.problems = tuple(self._placed(problem) for problem in error.problems)
        first = error.problems[0].pointer if error.problems else ""
        error.lines, error.file = dict(self.lines), self.of(first)[0]  # type: ignore[attr-defined]
        return error

    def _placed(self, problem: Problem) -> Problem:
        """A text that is not YAML has no places to point to: its problems say the line in words."""
        if not problem.rule.startswith("line "):
            return problem
        return replace(problem, pointer="", rule=f"{self.of(problem.pointer)[0]}, {problem.rule}")


def read_pipeline_file(path: Path, *, collector: bool = False) -> PipelineFile:
    """The file or folder. collector: it must be a collector configuration. Raises InvalidInput."""
    if path.is_dir():
        if collector:
            raise InvalidInput(f"{path} is a folder, not a collector configuration")
        name, text = read_text(path / "collector.yaml")
        metadata_name, metadata = read_text(path / "metadata.yaml")
        lines = lines_of(text) | {METADATA + pointer: line for pointer, line in lines_of(metadata).items()}
        return PipelineFile(name, text, metadata, metadata_name, lines)
    name, text = read_text(path)
    found = lines_of(text)
    if collector and found and not ("/receivers" in found or "/service" in found):
        raise InvalidInput(
            f"{name} is no collector configuration: it has neither receivers nor service",
            hint="a pipeline document is given with --file",
        )
    return PipelineFile(name, text, lines=found)
