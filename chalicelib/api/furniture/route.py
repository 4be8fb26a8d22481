"""The declaration of a route. Routing, authorisation and the OpenAPI document all derive from it, and from it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from chalicelib.domain.access import Principal, Public, Role
from chalicelib.domain.errors import PhoenixError

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request body. A Lambda event holds 6 MB including base64, so binary bodies end here everywhere."""

MAX_DEPTH = 64
"""Levels of nesting in a JSON body. Configurations of collectors have about ten; deeper ones break what reads them."""

JSON = "application/json"
PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Request:
    """What a handler is given: everything already checked.

    body: the request model's instance, the raw bytes for a binary route, or None. query: the query model's instance.
    """

    principal: Principal
    params: Mapping[str, str]
    query: Any
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Binary:
    """A binary answer."""

    body: bytes
    content_type: str = PROTOBUF


@dataclass(frozen=True)
class Text:
    """An answer that is text in a format of its own."""

    body: str
    content_type: str


@dataclass(frozen=True)
class Repeated:
    """The answer of a creation that had been carried out before for the same caller: 200, and what there is."""

    body: BaseModel


class Kind(StrEnum):
    """JSON in and out, or raw bytes in and out (OpAMP, OTLP)."""

    JSON = "json"
    BINARY = "binary"


@dataclass(frozen=True)
class Route:
    """One method on one path.

    role: who may call it; `Public` states the reason for none. own: path parameter that must name the calling host.
    errors: what it may answer besides the errors every route may (400, 401, 403, 413, 415, 500). repeatable: a creation
    that may answer `Repeated`.
    """

    method: str
    path: str
    role: Role | Public
    handler: Callable[[Request], Any]
    summary: str
    request: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    kind: Kind = Kind.JSON
    own: str | None = None
    repeatable: bool = False
    errors: tuple[type[PhoenixError], ...] = field(default=())


class Model(BaseModel):
    """Base of request and response models that are not domain values."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


class PageQuery(Model):
    """Paging: how many, and from where."""

    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=2000)


T = TypeVar("T")


class PageOf(Model, Generic[T]):
    """A page of things; `nextCursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None
