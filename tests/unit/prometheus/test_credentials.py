"""Signing in: secrets go where they are bound to and nowhere else; AWS signatures are those of AWS' own test suite."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import ValidationError

from chalicelib.adapters.prometheus.credentials import credentials, signer
from chalicelib.domain.errors import InvalidInput, Unavailable
from chalicelib.domain.experiment.source import Prometheus

KNOWN = credentials(
    json.dumps(
        {
            "main": {"url": "https://prom.example/team", "bearer": "s3cret-token"},
            "basic": {"url": "http://prom.example:9090", "user": "phoenix", "password": "pa:ss"},
            "theirs": {"url": "https://prom.example", "bearer": "x1", "tenants": ["other"]},
        }
    )
)


class Session:
    """A botocore session with these credentials."""

    def __init__(self, found: Credentials | None) -> None:
        self._found = found

    def get_credentials(self) -> Credentials | None:
        return self._found


def headers(url: str, credential: str | None, tenant: str = "default") -> dict[str, str]:
    sign = signer(tenant, Prometheus(url=url, credential=credential), KNOWN, lambda: Session(None))
    return sign("POST", url, {}, b"")


def test_a_credential_goes_to_its_address_and_below() -> None:
    assert headers("https://prom.example/team/a", "main") == {"Authorization": "Bearer s3cret-token"}
    assert headers("https://prom.example:443/team", "main") == {"Authorization": "Bearer s3cret-token"}
    assert headers("http://prom.example:9090", "basic") == {"Authorization": "Basic cGhvZW5peDpwYTpzcw=="}
    assert headers("https://elsewhere.example", None) == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://prom.example",
        "https://prom.example/teams",
        "http://prom.example/team",
        "https://prom.example:8443/team",
        "https://evil.example/team",
        "https://prom.example.evil.example/team",
    ],
)
def test_a_credential_goes_nowhere_else(url: str) -> None:
    with pytest.raises(InvalidInput, match="bound to another address"):
        headers(url, "main")


def test_an_unknown_credential_and_another_tenants_look_the_same() -> None:
    said = []
    for name in ("theirs", "nobodys"):
        with pytest.raises(InvalidInput) as caught:
            headers("https://prom.example", name)
        said.append(caught.value.detail.replace(name, "…"))
    assert said[0] == said[1]
    assert headers("https://prom.example", "theirs", tenant="other")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": {"url": "https://x", "bearer": "hush\\r\\nX: y"}}',
        '{"a": {"url": "https://x"}}',
        '{"a": {"url": "https://x", "bearer": "hush", "user": "u", "password": "hush"}}',
        '{"a": {"url": "https://x", "user": "u"}}',
        '{"a": {"url": "ftp://x", "bearer": "hush"}}',
        '{"A!": {"url": "https://x", "bearer": "hush"}}',
        '{"a": {"url": "https://x", "bearer": "hush", "more": 1}}',
    ],
)
def test_credentials_that_are_none_are_refused_without_their_content(text: str) -> None:
    with pytest.raises(InvalidInput, match="PHOENIX_PROMETHEUS_CREDENTIALS") as caught:
        credentials(text)
    assert "hush" not in f"{caught.value.detail} {caught.value.problems} {caught.value.hint}"


def test_no_secret_is_in_the_words_for_a_credential() -> None:
    assert "s3cret" not in repr(KNOWN)


AMAZON = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"


def test_amazon_requests_carry_the_signature_of_botocores_signer_for_aps() -> None:
    """The signer itself is proven by AWS' published vectors in botocore's own tests; here: service, region, body, and
    every header that it adds."""
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token")
    source = Prometheus.model_validate({"url": AMAZON, "sigv4": {"region": "eu-west-1"}})
    given = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    made = signer("default", source, {}, lambda: Session(keys))("POST", f"{AMAZON}/api/v1/query", given, b"query=up")

    assert made["X-Amz-Security-Token"] == "session-token"
    again = AWSRequest("POST", f"{AMAZON}/api/v1/query", data=b"query=up", headers=given)
    again.context["timestamp"] = made["X-Amz-Date"]
    again.headers["X-Amz-Date"], again.headers["X-Amz-Security-Token"] = made["X-Amz-Date"], "session-token"
    auth = SigV4Auth(keys.get_frozen_credentials(), "aps", "eu-west-1")
    signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    scope = f"AKIDEXAMPLE/{made['X-Amz-Date'][:8]}/eu-west-1/aps/aws4_request"
    signed = "accept;content-type;host;x-amz-date;x-amz-security-token"
    assert made["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={signature}"
    )


def test_without_aws_credentials_nothing_is_sent() -> None:
    source = Prometheus.model_validate({"url": AMAZON, "sigv4": {"region": "eu-west-1"}})
    with pytest.raises(Unavailable, match="no AWS credentials"):
        signer("default", source, {}, lambda: Session(None))("POST", AMAZON, {}, b"")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ({"url": "https://evil.example"}, {"region": "eu-west-1"}, "Amazon Managed Prometheus alone"),
        ({"url": AMAZON}, {"region": "us-east-1"}, "Amazon Managed Prometheus alone"),
        ({"url": AMAZON.replace("https", "http")}, {"region": "eu-west-1"}, "Amazon Managed Prometheus alone"),
        ({"url": AMAZON + "@evil"}, {"region": "EU"}, "pattern"),
        ({"url": AMAZON, "credential": "main"}, {"region": "eu-west-1"}, "two ways"),
    ],
)
def test_signed_requests_go_to_amazon_alone(field: dict[str, Any], value: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Prometheus.model_validate({**field, "sigv4": value})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "http://",
        "http://user:pw@x",
        "http://x/?a=b",
        "http://x/#y",
        "http://x:0",
        "http://x:99999",
        "http://x/a b",
        "http://x/../y",
        "http://x/%2e%2e/y",
        "http://ü.example",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Prometheus(url=url)
