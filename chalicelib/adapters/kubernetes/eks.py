"""EKS: address and CA by DescribeCluster, and a token that is a presigned call of STS (what `aws eks get-token` makes).

The token is `k8s-aws-v1.` and the URL of GetCallerIdentity in base64url without padding; the header x-k8s-aws-id, which
is signed too, binds it to one cluster. It is good for fifteen minutes and asks nothing of AWS to make.
"""

from __future__ import annotations

import base64
from typing import Any

from pydantic import SecretStr, ValidationError

from chalicelib.domain.cluster.cluster import Credentials, Eks, Server
from chalicelib.domain.errors import NotFound, Unavailable

EXPIRES_S = 60
"""As AWS's own tools say; the cluster takes the token for fifteen minutes all the same."""
TIMEOUT_S = 5
_HEADER = "x-k8s-aws-id"


_NO_KEYS = "the control plane has no AWS credentials to sign in at EKS with"


def connection_of(eks: Eks, session: Any = None) -> tuple[Server, Credentials]:
    """Where the cluster is, and a fresh token for it. session: of boto3; None: by the environment (a role, a profile).
    Raises NotFound, Unavailable."""
    if session is None:
        import boto3

        session = boto3.Session()
    return describe(eks, session), Credentials(token=SecretStr(token(eks, session)))


def describe(eks: Eks, session: Any) -> Server:
    """The cluster's address and CA. Raises NotFound, Unavailable."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    config = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2})
    try:
        client = session.client("eks", region_name=eks.region, config=config)
        found = client.describe_cluster(name=eks.cluster_name)["cluster"]
        ca = base64.b64decode(found["certificateAuthority"]["data"]).decode()
        return Server(url=found["endpoint"], ca=ca)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ResourceNotFoundException":
            raise NotFound(f"EKS has no cluster {eks.cluster_name!r} in {eks.region}") from error
        raise Unavailable(f"EKS did not describe cluster {eks.cluster_name!r}: {code}") from error
    except NoCredentialsError as error:
        raise Unavailable(_NO_KEYS, hint="give the control plane's process an AWS role") from error
    except (BotoCoreError, KeyError, ValueError, ValidationError) as error:
        why = type(error).__name__
        raise Unavailable(f"EKS did not describe cluster {eks.cluster_name!r} usefully: {why}") from error


def token(eks: Eks, session: Any) -> str:
    """A token for one cluster, good for about a quarter of an hour. Raises Unavailable without AWS credentials."""
    from botocore.exceptions import BotoCoreError
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    try:
        keys = session.get_credentials()
        if keys is None:
            raise Unavailable(_NO_KEYS, hint="give the control plane's process an AWS role")
        signer = RequestSigner(ServiceId("sts"), eks.region, "sts", "v4", keys, session.events)
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://sts.{eks.region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
                "body": {},
                "headers": {_HEADER: eks.cluster_name},
                "context": {},
            },
            region_name=eks.region,
            expires_in=EXPIRES_S,
            operation_name="",
        )
    except BotoCoreError as error:
        raise Unavailable(f"no token for EKS could be signed: {type(error).__name__}") from error
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
