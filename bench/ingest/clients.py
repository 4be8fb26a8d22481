"""Load clients in processes of their own, started and waited for. What they send is theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from bench.ingest.client import Outcome
from bench.instruments.running import BenchFailed


def run_client(module: str, job: Any, seconds: float) -> Outcome:
    """Run `python -m module` on a job, `seconds` at most. Raises BenchFailed when it fails or takes longer."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(asdict(job)),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise BenchFailed(f"the client failed: {error}; {getattr(error, 'stderr', '') or ''}") from error
    return Outcome(**json.loads(done.stdout))
