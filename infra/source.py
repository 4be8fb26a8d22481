"""The folder that Chalice packages: app.py, chalicelib, requirements and, under vendor/, the catalog.

Chalice puts app.py, chalicelib/ and the *contents* of vendor/ at the top of the package, and nothing else. The
catalog has to stand beside chalicelib/, where settings look for it, hence vendor/catalog/. A folder of its own also
keeps what is generated (configuration with the stack's own names, packages) out of the work tree.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "testdata")


def requirements_of_the_app() -> str:
    """What the Lambda functions need, as text of a requirements file."""
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def stage_settings() -> dict[str, Any]:
    """Memory, timeout and API stage as .chalice/config.json gives them: one place for both ways to package."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    settings: dict[str, Any] = config["stages"]["dev"]
    return settings


def lay_out(folder: Path, *, stage: str, settings: Mapping[str, Any], requirements: str) -> None:
    """Fill an empty folder. stage, settings: the one stage of its Chalice configuration."""
    shutil.copy2(ROOT / "app.py", folder / "app.py")
    shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=_LEFT_OUT)
    shutil.copytree(ROOT / "catalog", folder / "vendor" / "catalog", ignore=_LEFT_OUT)
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    config = {"version": "2.0", "app_name": "phoenix", "stages": {stage: dict(settings)}}
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
