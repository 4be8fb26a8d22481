"""Signing in at EKS: where the cluster is by DescribeCluster, and a token as AWS's own tools make it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.kubernetes.eks import connection_of, token
from chalicelib.domain.cluster.cluster import Eks
from chalicelib.domain.errors import NotFound, Unavailable

EKS = Eks(region="eu-west-1", cluster_name="prod_1")


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session(
            aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-to-be-seen", region_name="us-east-1"
        )


def presigned(text: str) -> tuple[str, dict[str, list[str]]]:
    assert text.startswith("k8s-aws-v1.")
    body = text.removeprefix("k8s-aws-v1.")
    assert "=" not in body
    url = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    return url, parse_qs(urlsplit(url).query)


def test_the_token_is_a_presigned_question_who_i_am_bound_to_the_cluster(session: boto3.Session) -> None:
    made = token(EKS, session)
    url, query = presigned(made)
    assert url.startswith("https://sts.eu-west-1.amazonaws.com/?")
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert query["X-Amz-Credential"][0].startswith("AKIDEXAMPLE/")
    assert query["X-Amz-Credential"][0].endswith("/eu-west-1/sts/aws4_request")
    assert "not-to-be-seen" not in url
    assert token(EKS.model_copy(update={"cluster_name": "other"}), session) != made


class Described:
    """A session whose EKS answers as the service documents it."""

    def __init__(self, session: boto3.Session, ca: str) -> None:
        self._session, self._ca = session, ca
        self.events = session.events

    def get_credentials(self) -> object:
        return self._session.get_credentials()

    def client(self, service: str, region_name: str, config: object) -> Described:
        assert (service, region_name) == ("eks", "eu-west-1")
        return self

    def describe_cluster(self, name: str) -> dict[str, object]:
        data = base64.b64encode(self._ca.encode()).decode()
        return {
            "cluster": {"endpoint": "https://X.gr7.eu-west-1.eks.amazonaws.com", "certificateAuthority": {"data": data}}
        }


def test_address_and_ca_come_from_the_service(session: boto3.Session) -> None:
    server, credentials = connection_of(EKS, Described(session, "-----BEGIN CERTIFICATE-----\nMIIB\n"))
    assert (server.url, server.ca[:27]) == ("https://X.gr7.eu-west-1.eks.amazonaws.com", "-----BEGIN CERTIFICATE-----")
    assert credentials.token is not None
    assert credentials.token.get_secret_value().startswith("k8s-aws-v1.")


def test_an_answer_that_holds_no_certificate_is_not_used(session: boto3.Session) -> None:
    session.client("eks", region_name="eu-west-1").create_cluster(
        name="prod_1", roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={"subnetIds": ["a", "b"]}
    )
    with pytest.raises(Unavailable, match="usefully"):
        connection_of(EKS, session)


def test_a_cluster_that_is_not_there_is_named(session: boto3.Session) -> None:
    with pytest.raises(NotFound, match="prod_1"):
        connection_of(EKS, session)


def test_without_credentials_of_aws_it_says_so() -> None:
    class Nobody:
        events = None

        def get_credentials(self) -> None:
            return None

    with pytest.raises(Unavailable, match="no AWS credentials"):
        token(EKS, Nobody())
