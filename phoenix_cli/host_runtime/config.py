"""What a host runtime is told at its start, and where its files lie under its data folder.

Values only. Not here: reading the environment or the disk (that is the command's and the other modules' task).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.experiment.spec import NAME

TOKEN_VARIABLE = "PHOENIX_TOKEN"
LABEL_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,62})")
MOST_LABELS = 32
LABEL_VALUE = re.compile(r"[A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class HostConfig:
    """One host's runtime.

    endpoint: URL of the control plane, without a path of its own routes. token: the host's own, kept out of repr.
    poll_seconds: the poll interval this host asks for; the control plane decides (attribute phoenix.poll).
    status_seconds: how often status is sent when nothing changes. environment: what children start with; the
    collector sees it, so `${env:…}` in pipelines resolves. load_agent: the load agent's command without its
    arguments, () for none. second: whether it is the second agent of the host (`as_second`).
    """

    endpoint: str
    host: str
    token: str = field(repr=False)
    data_dir: Path
    collector: Path
    supervisor: Path
    load_agent: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    poll_seconds: int = 5
    status_seconds: float = 30.0
    second: bool = False

    def __post_init__(self) -> None:
        problems = (*endpoint_problems(self.endpoint), *name_problems(self.host, self.labels))
        if not self.token or re.search(r"\s", self.token) or not self.token.isascii():
            problems += (Problem("/token", "is empty or holds spaces", "enrol this host again"),)
        for name, path in (("dataDir", self.data_dir), ("collector", self.collector), ("supervisor", self.supervisor)):
            if not path.is_absolute():
                problems += (Problem(f"/{name}", f"{path} is not an absolute path"),)
        if self.poll_seconds < 1:
            problems += (Problem("/pollSeconds", f"{self.poll_seconds} is below the minimum 1"),)
        if problems:
            raise InvalidInput(_in_words(problems), problems=problems)

    @property
    def files(self) -> HostFiles:
        """Paths under the data folder."""
        return HostFiles(self.data_dir)

    @property
    def opamp_url(self) -> str:
        """Where this agent's supervisor polls."""
        return f"{self.endpoint.rstrip('/')}/v1/opamp" + ("/second" if self.second else "")

    def as_second(self) -> HostConfig:
        """The same host's second agent: a folder and an address of its own, no load agent."""
        return replace(self, data_dir=self.data_dir / "second", load_agent=(), second=True)


@dataclass(frozen=True)
class HostFiles:
    """Where everything of one host lies; all of it below `root`, which is 0700."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "host.lock"

    @property
    def supervisor_yaml(self) -> Path:
        return self.root / "supervisor.yaml"

    @property
    def collector_defaults(self) -> Path:
        return self.root / "collector-defaults.yaml"

    @property
    def collector_start(self) -> Path:
        return self.root / "collector-start.sh"

    @property
    def collector_errors(self) -> Path:
        return self.root / "collector-errors.fifo"

    @property
    def storage(self) -> Path:
        return self.root / "supervisor"

    @property
    def effective_config(self) -> Path:
        """The configuration with which the supervisor starts the collector."""
        return self.storage / "effective.yaml"

    @property
    def supervisor_log(self) -> Path:
        return self.root / "logs" / "supervisor.log"

    @property
    def load_agent_log(self) -> Path:
        return self.root / "logs" / "load-agent.log"

    @property
    def load_agent_data(self) -> Path:
        return self.root / "loadsim"


def endpoint_problems(endpoint: str) -> tuple[Problem, ...]:
    """What is wrong with a control plane URL; () when nothing is."""
    fix = "give it as https://phoenix.example or http://127.0.0.1:8000"
    try:
        parts = urlsplit(endpoint)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return (Problem("/endpoint", f"{endpoint!r} is not a URL", fix),)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        return (Problem("/endpoint", f"{endpoint!r} is not an http or https URL", fix),)
    if parts.username or parts.password or parts.query or parts.fragment:
        return (Problem("/endpoint", "holds a user, password, query or fragment", fix),)
    return ()


def name_problems(host: str, labels: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with a host's name and labels; () when nothing is."""
    problems = []
    if not re.fullmatch(NAME, host):
        problems.append(Problem("/host", f"{host!r} is no host name", "small letters, digits and -, at most 63"))
    if len(labels) > MOST_LABELS:
        problems.append(Problem("/labels", f"{len(labels)} labels", f"at most {MOST_LABELS}"))
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            problems.append(
                Problem(f"/labels/{key}", f"{key}={value} is no label", "letters, digits, . _ -, at most 63")
            )
    return tuple(problems)


def _in_words(problems: tuple[Problem, ...]) -> str:
    return "; ".join(f"{p.pointer.removeprefix('/')}: {p.rule}" + (f" ({p.fix})" if p.fix else "") for p in problems)
