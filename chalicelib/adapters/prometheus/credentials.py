"""How a request signs in: basic, bearer, or AWS Signature Version 4 by botocore's own signer. Nothing is sent here.

A credential is bound to an address by whoever runs the control plane: users name it and never see it, and cannot make
it go elsewhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.errors import InvalidInput, Problem, Unavailable
from chalicelib.domain.experiment.source import CREDENTIAL, Prometheus, base_address

SERVICE = "aps"
"""Amazon Managed Prometheus, as signatures name it."""
Sign = Callable[[str, str, Mapping[str, str], bytes], dict[str, str]]
"""(method, url, headers, body) to headers that sign in. Raises Unavailable."""
_Name = Annotated[str, Field(pattern=CREDENTIAL)]


class Credential(BaseModel):
    """What signs in at one address. Either bearer, or user and password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """Requests to this address and below it may carry it, and no others."""
    bearer: SecretStr | None = None
    user: str | None = Field(default=None, pattern=r"^[!-9;-~]{1,200}$")
    password: SecretStr | None = None
    tenants: tuple[str, ...] = (DEFAULT_TENANT,)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return base_address(value)

    @field_validator("bearer", "password")
    @classmethod
    def _one_line(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value else "x"
        if not text or len(text) > 8192 or not text.isascii() or not text.isprintable():
            raise ValueError("a secret is one line of printable ASCII")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Credential:
        if (self.bearer is None) == (self.user is None) or (self.user is None) != (self.password is None):
            raise ValueError("give bearer, or user and password")
        return self

    def covers(self, url: str) -> bool:
        """Whether the credential may be sent to this URL."""
        own, asked = urlsplit(self.url), urlsplit(url)
        same = (own.scheme, own.hostname, _port(own)) == (asked.scheme, asked.hostname, _port(asked))
        return same and f"{asked.path.rstrip('/')}/".startswith(f"{own.path.rstrip('/')}/")

    def headers(self) -> dict[str, str]:
        """The header that signs in."""
        if self.bearer is not None:
            return {"Authorization": f"Bearer {self.bearer.get_secret_value()}"}
        password = self.password.get_secret_value() if self.password else ""
        return {"Authorization": "Basic " + base64.b64encode(f"{self.user}:{password}".encode()).decode()}


def credentials(text: str) -> dict[str, Credential]:
    """The setting PHOENIX_PROMETHEUS_CREDENTIALS: a JSON object of name to credential. Raises InvalidInput, and says
    nothing of the content."""
    name = "PHOENIX_PROMETHEUS_CREDENTIALS"
    try:
        return TypeAdapter(dict[_Name, Credential]).validate_python(json.loads(text)) if text else {}
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "/" + "/".join(str(part) for part in found["loc"])
        raise InvalidInput(f"{name}{where}: {found['msg']}", problems=(Problem(name, found["msg"]),)) from None
    except (ValueError, RecursionError):
        fix = 'write {"name": {"url": "https://prometheus.example", "bearer": "…"}}'
        raise InvalidInput(f"{name} is not JSON", problems=(Problem(name, "not JSON", fix),), hint=fix) from None


def signer(tenant: str, source: Prometheus, known: Mapping[str, Credential], session: Callable[[], Any]) -> Sign:
    """How requests to this server sign in. session: makes a botocore session, asked for when AWS signs. Raises
    InvalidInput when the credential is unknown to the tenant or bound to another address."""
    if source.sigv4 is not None:
        return _sigv4(source.sigv4.region, session)
    if source.credential is None:
        return lambda method, url, headers, body: {}
    found = known.get(source.credential)
    if found is None or tenant not in found.tenants:
        rule = f"no credential named {source.credential!r}"
        fix = "whoever runs the control plane adds it to PHOENIX_PROMETHEUS_CREDENTIALS"
        raise InvalidInput(rule, problems=(Problem("/spec/source/prometheus/credential", rule, fix),), hint=fix)
    if not found.covers(source.url):
        rule = f"the credential {source.credential!r} is bound to another address"
        raise InvalidInput(rule, problems=(Problem("/spec/source/prometheus/url", rule, "ask who bound it"),))
    own = found.headers()
    return lambda method, url, headers, body: own


def _sigv4(region: str, session: Callable[[], Any]) -> Sign:
    def sign(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        # Imported where it is used: a control plane without AWS need not wait for it.
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            found = session().get_credentials()
            if found is None:
                raise Unavailable("the control plane has no AWS credentials to sign with", hint="give it a role")
            request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
            SigV4Auth(found.get_frozen_credentials(), SERVICE, region).add_auth(request)
        except BotoCoreError as error:
            raise Unavailable(f"AWS credentials cannot be had: {type(error).__name__}") from error
        wanted = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
        return {name: value for name, value in request.headers.items() if name.lower() in wanted}

    return sign


def _port(parts: Any) -> int:
    return int(parts.port or (443 if parts.scheme == "https" else 80))
