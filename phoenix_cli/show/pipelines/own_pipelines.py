"""What came of a pipeline of one's own, and its versions, for people. Files and notes are data, never markup."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from chalicelib.domain.validation.findings import Finding, Kept
from phoenix_cli.pipeline_file import PipelineFile
from phoenix_cli.show.figures import age, clean, plural, sentence
from phoenix_cli.show.pipelines.findings import block
from phoenix_cli.show.tables import table

Item = Mapping[str, Any]


def saved_notes(made: Item, read: PipelineFile) -> Iterator[str]:
    """What is not in the pipeline, what validation warns of, and what was tried."""
    for one in made["leftOut"]:
        file, line = read.of(one["pointer"])
        place = f"   ({file}:{line})" if line else ""
        yield f"left out: {clean(one['what'], 120)}{place}\n  {sentence(one['why'])}"
    for value in made["report"]["findings"]:
        finding = Finding.model_validate(value)
        file, line = read.of(finding.pointer)
        yield block(finding.model_copy(update={"line": line}), file)
    retention = made["report"]["retention"]
    kept = {Kept.KEPT: "are kept", Kept.DROPPED: "can be dropped", Kept.NOT_CHECKED: "not checked"}
    yield f"critical processes {kept[Kept(retention['state'])]}: {sentence(retention['explanation'])}"


def saved_table(made: Item) -> Text:
    """One sentence: what exists now."""
    name, version = clean(made["name"]), made["version"]
    if version is None:
        return Text(f"pipeline {name} is sound; nothing is stored (--dry-run)")
    if not made["new"]:
        return Text(f"pipeline {name} has this very content: version {version['number']}; no new one is made")
    return Text(f"pipeline {name}: version {version['number']}; try it: phoenix pipeline export {name}")


def versions_table(items: Iterable[Item]) -> RenderableType:
    """Versions, oldest first."""
    now = time.time()
    columns = ("version>", "made", "by", "content", "critical", "warnings>", "note")
    return table((_version(one, now) for one in items), columns)


def _version(one: Item, now: float) -> tuple[str, ...]:
    checked = one["checked"]
    tried = f" ({plural(len(checked['critical']), 'pattern')})" if checked["critical"] else ""
    return (
        str(one["number"]),
        age(one["at"], now),
        one["by"],
        one["contentHash"][:12],
        checked["retention"] + tried,
        str(len(checked["warnings"])),
        one["note"],
    )
