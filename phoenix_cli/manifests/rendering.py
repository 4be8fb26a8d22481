"""The committed manifests filled in with checked values: nothing that could end a YAML scalar gets in."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.kubernetes.crd.definitions import definitions
from chalicelib.domain.model import Value

FOLDER = Path(__file__).parent
IMAGE = r"^[a-z0-9]([a-zA-Z0-9._-]{0,100}[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]{0,100}){0,8}((:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})|(@sha256:[0-9a-f]{64}))$"  # noqa: E501 - one pattern
ENDPOINT = r"^https?://[A-Za-z0-9._:/\[\]-]{1,255}$"


class ManifestValues(Value):
    """What the manifests are filled in with."""

    mode: Literal["push", "pull"]
    """push: the control plane reaches the cluster. pull: the operators reach the control plane."""
    cluster: Annotated[str, Field(pattern=NAME)]
    """Its name in the control plane."""
    namespace: Annotated[str, Field(pattern=NAME)] = "phoenix"
    """Of the operators and of all resources; made with PodSecurity level privileged (collectors use hostPID)."""
    operator_image: str = Field(pattern=IMAGE, max_length=400)
    """With tag or digest."""
    collector_image: str = Field(pattern=IMAGE, max_length=400)
    """With tag or digest."""
    endpoint: str = Field(default="", max_length=300, pattern=f"{ENDPOINT}|^$")
    """URL of the control plane; its port is let through to it in pull mode, which needs it."""
    crds: bool = True
    """Whether the custom resource definitions are part of it."""


def render(values: ManifestValues) -> str:
    """All manifests as one YAML text for `kubectl apply --server-side -f -`. Raises InvalidInput naming the field."""
    if values.mode == "pull" and not values.endpoint:
        raise InvalidInput(
            "the endpoint is missing: pull mode goes to the control plane",
            problems=(Problem("/endpoint", "is missing", "give the control plane's URL as pods reach it"),),
        )
    text = string.Template((FOLDER / f"{values.mode}.yaml").read_text("utf-8")).substitute(
        namespace=values.namespace,
        cluster=values.cluster,
        operator_image=values.operator_image,
        collector_image=values.collector_image,
        control_plane_port=_port(values.endpoint),
    )
    documents = definitions().values() if values.crds else ()
    known = "".join(f"---\n{yaml.safe_dump(one, sort_keys=False, width=120)}" for one in documents)
    return known + text


def checked(**given: object) -> ManifestValues:
    """Values from what a user gave. Raises InvalidInput naming each field, the rule and the fix."""
    try:
        return ManifestValues.model_validate(given)
    except ValidationError as error:
        problems = tuple(
            Problem("/" + "/".join(map(str, one["loc"])), one["msg"], "see phoenix cluster manifest --help")
            for one in error.errors(include_url=False, include_input=False)
        )
        names = ", ".join(problem.pointer.strip("/") for problem in problems)
        raise InvalidInput(f"no manifests can be made with this: {names}", problems=problems) from error


def _port(endpoint: str) -> int:
    try:
        parts = urlsplit(endpoint)
        return parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError as error:
        raise InvalidInput(f"{endpoint!r} is not a URL: write https://host:port") from error
