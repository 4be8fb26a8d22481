"""What a deployment must be told, and how it is told what is missing."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import InvalidInput
from infra.inputs import public_url_of, region_of


def test_the_region_is_the_cdk_commands_before_ones_own() -> None:
    assert region_of({"CDK_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "us-east-1"}) == "eu-west-1"
    assert region_of({"CDK_DEFAULT_REGION": "", "AWS_REGION": "us-east-1"}) == "us-east-1"


def test_no_region_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInput) as refused:
        region_of({})
    assert "AWS_REGION" in refused.value.hint


def test_an_address_loses_its_last_slash() -> None:
    assert public_url_of("https://phoenix.example/api/") == "https://phoenix.example/api"


@pytest.mark.parametrize("given", [None, "", "http://phoenix.example", "phoenix.example", "https://", "https://[", 7])
def test_anything_but_an_https_address_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput, match="public_url") as refused:
        public_url_of(given)
    assert "-c public_url=" in refused.value.hint
