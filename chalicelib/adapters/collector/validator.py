"""Asking a real collector: `<binary> validate --config=<file>`. Nothing is decided here; its words are passed on.

The child gets no environment of ours, only dummies for the variables that the configuration names: a validation must
neither need nor reveal a secret.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.exchange import HOST_VARIABLE
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.marker import content_hash
from chalicelib.domain.pipeline.masking import mask_text
from chalicelib.domain.pipeline.references import environment_names, reference_problems

DEADLINE_S = 20.0
MAX_MESSAGE = 2000
_CACHED = 256
DUMMY = "1"
"""Stands for an environment variable: legal as text and as a number."""
DUMMY_URL = "http://127.0.0.1:1"
DUMMY_HOST = "host"
_LOG_PREFIX = re.compile(r"^(?:\d{4}[-/]\d\d[-/]\d\d[T ]\S+\s+)?(?:collector server run finished with error:\s*)?")
REMEDY = "build or install the collector (make setup), or set PHOENIX_OTELCOL to its binary"


class CollectorValidator:
    """Implements ports.collector.ConfigValidator with a collector binary. Answers are cached by content."""

    def __init__(self, binary: Path | None, *, deadline_s: float = DEADLINE_S) -> None:
        self._binary = binary
        self._deadline_s = deadline_s
        self._answers: OrderedDict[str, str | None] = OrderedDict()

    def validate(self, config: Mapping[str, Any]) -> str | None:
        """See ConfigValidator. A configuration that refers to more than the environment is refused unasked."""
        if problems := reference_problems(config):
            return "\n".join(f"{problem.pointer}: {problem.rule}; {problem.fix}" for problem in problems[:5])
        try:
            key = content_hash(config)
        except (TypeError, ValueError) as error:
            return f"the configuration holds a value that is no YAML text, number or boolean: {error}"
        if key not in self._answers:
            self._answers[key] = self._ask(config)
            while len(self._answers) > _CACHED:
                self._answers.popitem(last=False)
        return self._answers[key]

    def _ask(self, config: Mapping[str, Any]) -> str | None:
        if self._binary is None:
            raise Unavailable("no collector is known that could validate a configuration", hint=REMEDY)
        with tempfile.TemporaryDirectory(prefix="phoenix-validate-") as folder:
            path = Path(folder) / "config.yaml"
            path.write_text(to_yaml(config), encoding="utf-8")
            done = self._run(path, {name: dummy(name) for name in environment_names(config)})
        if done.returncode == 0:
            return None
        return clean_message(done.stderr or done.stdout, path) or f"the collector ended with code {done.returncode}"

    def _run(self, path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [str(self._binary), "validate", f"--config={path}"]
        try:
            return subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._deadline_s,
                check=False,
            )
        except FileNotFoundError as error:
            raise Unavailable(f"the collector binary is missing: {self._binary}", hint=REMEDY) from error
        except OSError as error:
            raise Unavailable(f"the collector cannot be started: {error.strerror}", hint=REMEDY) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"the collector did not validate within {self._deadline_s:g} s", hint="is the machine overloaded?"
            ) from error


def dummy(name: str) -> str:
    """What stands for a variable: an address where its name says that it holds one, because some exporters refuse
    anything else, and a text for a host's name, because a resource attribute must not be a number."""
    if name.endswith(("_URL", "_ENDPOINT")):
        return DUMMY_URL
    return DUMMY_HOST if name == HOST_VARIABLE else DUMMY


def clean_message(output: str, path: Path) -> str:
    """The collector's text without log prefixes, our temporary path, repetitions and secrets, at most 2 000
    characters."""
    lines: list[str] = []
    for raw in output.replace(str(path), "config.yaml").splitlines():
        line = _LOG_PREFIX.sub("", raw.strip()).removeprefix("Error: ").removeprefix("invalid configuration: ")
        if line and line not in lines:
            lines.append(line)
    text = mask_text("\n".join(lines))
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
