"""A host's own credentials: got once for a one-time token, kept in its data folder, readable by the owner alone.

Not here: administrators' tokens (the CLI's profile).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chalicelib.domain.errors import InvalidInput, NotFound, Unavailable
from phoenix_cli.host_runtime.config import endpoint_problems, name_problems
from phoenix_cli.host_runtime.private_files import private_folder, write_private
from phoenix_cli.problems import refusal

FILE = "credentials.json"
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class HostCredentials:
    """Where this host belongs and what proves it."""

    endpoint: str
    host: str
    token: str = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)


def save_credentials(data_dir: Path, credentials: HostCredentials) -> Path:
    """Write `credentials.json`, mode 0600, in the folder made 0700. Raises DataFolderUnusable."""
    private_folder(data_dir)
    path = data_dir / FILE
    write_private(path, json.dumps({**asdict(credentials), "labels": dict(credentials.labels)}, indent=2) + "\n")
    return path


def load_credentials(data_dir: Path) -> HostCredentials:
    """What save_credentials wrote. Raises NotFound when this host is not enrolled, InvalidInput when it is damaged."""
    path = data_dir / FILE
    try:
        document = json.loads(path.read_text("utf-8"))
        endpoint, host, token = document["endpoint"], document["host"], document["token"]
        labels = document["labels"]
        if not all(isinstance(text, str) for text in (endpoint, host, token, *labels.values())):
            raise TypeError("not all are strings")
    except FileNotFoundError as e:
        raise NotFound(f"no host is enrolled in {data_dir}", hint="run `phoenix host enrol` first") from e
    except OSError as e:
        raise InvalidInput(f"{path} cannot be read: {e.strerror or e}") from e
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise InvalidInput(f"{path} is damaged", hint="remove it and run `phoenix host enrol` again") from e
    return HostCredentials(endpoint=endpoint, host=host, token=token, labels=labels)


def enrol(endpoint: str, one_time_token: str, name: str, labels: Mapping[str, str]) -> HostCredentials:
    """Exchange a one-time token for this host's own (10 s at most). Nothing is saved.

    Raises InvalidInput for a bad URL, name or label, the control plane's own refusal as the error of its kind
    (NotAuthenticated, Conflict …), Unavailable when it cannot be reached or answers what it should not.
    """
    endpoint = endpoint.rstrip("/")
    problems = (*endpoint_problems(endpoint), *name_problems(name, labels))
    if problems:
        raise InvalidInput("; ".join(f"{p.rule}: {p.fix}" if p.fix else p.rule for p in problems), problems=problems)
    body = {"token": one_time_token, "host": name, "labels": dict(labels)}
    try:
        reply = httpx.post(f"{endpoint}/api/v1/enrolments/exchange", json=body, timeout=REQUEST_SECONDS)
    except httpx.HTTPError as e:
        raise Unavailable(
            f"the control plane at {endpoint} does not answer ({type(e).__name__})",
            hint="is it running, and is the URL right?",
        ) from e
    document = _object(reply)
    if not reply.is_success:
        raise refusal(endpoint, reply.status_code, document)
    host, token = document.get("host"), document.get("token")
    if reply.status_code != 201 or not isinstance(host, str) or not isinstance(token, str) or not token:
        raise Unavailable(f"{endpoint} is no Phoenix control plane: its answer holds no host token")
    return HostCredentials(endpoint=endpoint, host=host, token=token, labels=dict(labels))


def _object(reply: httpx.Response) -> dict[str, Any]:
    try:
        document = reply.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
