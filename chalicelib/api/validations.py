"""Validation over HTTP: any collector configuration in, everything that is found out. A bad one is no error of the
request: the report says so."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from chalicelib.api.furniture.route import Model, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.validation.findings import Report
from chalicelib.services.services import Services


class ValidationRequest(Model):
    """A configuration as text, so that findings have lines, or as a tree; exactly one of them."""

    text: str | None = None
    """YAML, as it stands in the file."""
    config: dict[str, Any] | None = None
    """The same, already read."""
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    """What must never be dropped; without any, the processes that the configuration itself marks."""

    @model_validator(mode="after")
    def _one(self) -> ValidationRequest:
        if (self.text is None) == (self.config is None):
            raise ValueError("give exactly one of text and config")
        return self


def routes(services: Services) -> tuple[Route, ...]:
    validation = services.validation

    def validate(request: Request) -> Report:
        body = request.body
        if body.text is not None:
            return validation.of_text(body.text, body.critical)
        return validation.of_tree(body.config, body.critical)

    return (
        Route(
            "POST",
            "/api/v1/validations",
            Role.VIEWER,
            validate,
            "What is wrong with this configuration?",
            request=ValidationRequest,
            response=Report,
        ),
    )
