"""What a deployment has to be told, and what is wrong with it. Nothing of CDK here."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib.domain.errors import InvalidInput

_HINT = (
    "give -c public_url=https://...: your own domain in front of the API, or the EndpointURL that an earlier deploy "
    "put out (the API's own address does not exist before the first one)"
)


def region_of(env: Mapping[str, str]) -> str:
    """The region to deploy to. Raises InvalidInput: packaging needs it by name, for the app is built there."""
    for name in ("CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"):
        if region := env.get(name):
            return region
    raise InvalidInput("no AWS region is set", hint="set AWS_REGION, or a region in your AWS profile")


def public_url_of(given: object) -> str:
    """Where hosts reach the API, without a slash at the end. Raises InvalidInput when missing or not https."""
    text = given if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidInput(f"public_url: {error}", hint=_HINT) from error
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidInput("public_url: where hosts reach the API must be an https address", hint=_HINT)
    return text.rstrip("/")
