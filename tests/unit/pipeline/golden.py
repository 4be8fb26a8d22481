"""The catalog's `testdata/rendered.yaml` files: what each pipeline renders to with its defaults.

Run as a program to write them anew after a deliberate change: `python -m tests.unit.pipeline.golden`.
"""

from __future__ import annotations

from pathlib import Path

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline.assembly import standalone
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.rendering import render

CATALOG = Path(__file__).parents[3] / "catalog"
CRITICAL = (CriticalPattern(name="^nginx$"),)


def rendered(catalog: FileCatalog, name: str) -> str:
    return to_yaml(standalone(render(catalog.get(name), {}), CRITICAL, 15))


def path_of(name: str) -> Path:
    return CATALOG / name / "testdata" / "rendered.yaml"


if __name__ == "__main__":
    loaded = FileCatalog(CATALOG)
    for pipeline in loaded.names():
        path_of(pipeline).write_text(rendered(loaded, pipeline), encoding="utf-8")
