"""Declared routes onto a Chalice blueprint: read, authenticate, authorise, check, call, answer. One path for all.

Authentication is done here and not in an API Gateway authorizer: one code path on Lambda, on one machine and in
tests, problem+json answers, and a revoked token that is refused at once instead of after a policy cache
(docs/adr/0002-authentication-in-the-handler.md).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chalice.app import Blueprint, Response
from chalice.app import Request as ChaliceRequest
from pydantic import BaseModel, ValidationError

from chalicelib.api.furniture import problem
from chalicelib.api.furniture.route import (
    JSON,
    MAX_BODY,
    MAX_DEPTH,
    PROTOBUF,
    Binary,
    Kind,
    Repeated,
    Request,
    Route,
    Text,
)
from chalicelib.domain.access import Principal, Public, Role, authorise
from chalicelib.domain.errors import InvalidInput, NotAuthenticated, PhoenixError, TooLarge, WrongMediaType

_PATH_PARAMETER = re.compile(r"[A-Za-z0-9._-]{1,128}")

log = logging.getLogger("phoenix.api")

NOBODY = Principal(tenant="", role=Role.VIEWER, subject="", token_id="")

Authenticator = Callable[[str], Principal]
"""Bearer token to principal; raises NotAuthenticated."""


def mount(routes: Sequence[Route], authenticate: Authenticator) -> Blueprint:
    """A blueprint with every route registered."""
    blueprint = Blueprint("chalicelib.api")
    for route in routes:
        view = _view(blueprint, route, authenticate)
        # Chalice takes every format, because its own refusal is no problem+json; `_check_format` refuses.
        blueprint.route(route.path, methods=[route.method], content_types=["*/*"], name=view.__name__)(view)
    return blueprint


def _view(blueprint: Blueprint, route: Route, authenticate: Authenticator) -> Callable[..., Response]:
    def view(**params: str) -> Response:
        request: ChaliceRequest = blueprint.current_request
        try:
            return _answer(route, _run(route, request, params, authenticate))
        except PhoenixError as error:
            return _problem(error)
        except Exception:
            log.exception("unexpected error in %s %s", route.method, route.path)
            return _problem(PhoenixError("the server made a mistake; it is in the server's log"))

    name = f"{route.method}_{route.path}".lower()
    view.__name__ = "".join(c if c.isalnum() else "_" for c in name).strip("_")
    return view


def _run(route: Route, request: ChaliceRequest, params: Mapping[str, str], authenticate: Authenticator) -> Any:
    for name, value in params.items():
        if not _PATH_PARAMETER.fullmatch(value):
            raise InvalidInput(f"{name} in the path holds a character that names cannot have (A-Z a-z 0-9 . _ -)")
    principal = NOBODY
    if not isinstance(route.role, Public):
        principal = authenticate(bearer(request.headers))
        authorise(principal, route.role, params.get(route.own) if route.own else None)
    return route.handler(
        Request(
            principal=principal,
            params=params,
            query=_query(route, request),
            body=_body(route, request),
            headers=request.headers,
        )
    )


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header. Raises NotAuthenticated when there is none."""
    scheme, _, token = (headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("no token", hint="send the header Authorization: Bearer phx_…")
    return token.strip()


def _query(route: Route, request: ChaliceRequest) -> BaseModel | None:
    given: Mapping[str, str] = request.query_params or {}
    if route.query is None:
        if given:
            raise InvalidInput(f"unknown query parameter {next(iter(given))!r}; this route takes none")
        return None
    try:
        return route.query.model_validate(dict(given))
    except ValidationError as error:
        raise problem.invalid(error, "query ") from error


def _body(route: Route, request: ChaliceRequest) -> BaseModel | bytes | None:
    raw: bytes | str = request.raw_body or b""
    data = raw.encode() if isinstance(raw, str) else raw
    if len(data) > MAX_BODY:
        raise TooLarge(f"the body has {len(data)} bytes; the limit is {MAX_BODY}")
    if route.kind is Kind.BINARY:
        _check_format(request, (PROTOBUF, JSON, "application/octet-stream"))
        return data
    if route.request is None:
        return None
    if data:
        _check_format(request, (JSON,))
    try:
        return route.request.model_validate(_json(data) if data else {})
    except ValidationError as error:
        raise problem.invalid(error, "") from error


def _check_format(request: ChaliceRequest, accepted: Sequence[str]) -> None:
    """No Content-Type at all is taken for the route's own."""
    given = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if given and given not in accepted:
        raise WrongMediaType(f"this route does not read {given[:80]!r}", hint=f"send {' or '.join(accepted)}")


def _json(data: bytes) -> Any:
    try:
        parsed = json.loads(data, parse_constant=_refuse_constant)
    except ValueError as error:  # also bytes that are not UTF-8
        raise InvalidInput(f"the body is not JSON: {error}", hint="send a JSON object") from error
    except RecursionError as error:
        raise _too_deep() from error
    level, depth = [parsed], 0
    while level:
        if depth > MAX_DEPTH:
            raise _too_deep()
        depth += 1
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
    return parsed


def _children(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _too_deep() -> InvalidInput:
    return InvalidInput(f"the body is nested deeper than {MAX_DEPTH} levels")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _answer(route: Route, result: Any) -> Response:
    if isinstance(result, Binary):
        return Response(body=result.body, status_code=route.status, headers={"Content-Type": result.content_type})
    if isinstance(result, Text):
        return Response(body=result.body, status_code=route.status, headers={"Content-Type": result.content_type})
    status = route.status
    if isinstance(result, Repeated):
        result, status = result.body, 200
    if isinstance(result, BaseModel):
        text = result.model_dump_json(by_alias=True)
    else:
        text = "" if result is None else json.dumps(result)
    return Response(body=text, status_code=status, headers={"Content-Type": JSON})


def _problem(error: PhoenixError) -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": problem.CONTENT_TYPE}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="phoenix"'
    if error.status == 503:
        headers["Retry-After"] = "5"
    return Response(body=json.dumps(problem.document(error)), status_code=error.status, headers=headers)
