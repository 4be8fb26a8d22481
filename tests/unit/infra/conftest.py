"""Both stacks, synthesised once by a process of its own: Chalice changes environment and import path of its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
_DEADLINE_S = 240


@dataclass(frozen=True)
class Synthesised:
    """What CDK would deploy. data, control_plane: the templates. package: the functions' code, a zip."""

    data: dict[str, Any]
    control_plane: dict[str, Any]
    package: Path

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Resources of a kind ("AWS::SQS::Queue"), in both stacks, by logical name."""
        both = {**self.data["Resources"], **self.control_plane["Resources"]}
        return {name: resource for name, resource in both.items() if resource["Type"] == kind}


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    out = tmp_path_factory.mktemp("cdk.out")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", str(out)),
        "PYTHONPATH": str(ROOT),
        "CDK_OUTDIR": str(out),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "tests.unit.infra.synthesise"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=_DEADLINE_S)
    assert done.returncode == 0, done.stderr[-4000:]
    (package,) = out.glob("asset.*.zip")
    data, control_plane = (
        json.loads((out / f"{name}.template.json").read_text()) for name in ("phoenix-data", "phoenix")
    )
    return Synthesised(data, control_plane, package)
