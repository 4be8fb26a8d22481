"""Secrets in AWS Secrets Manager, under a prefix of their own."""

from __future__ import annotations

from typing import Any

from chalicelib.adapters.secrets.names import checked_name, checked_text
from chalicelib.domain.errors import PhoenixError, Unavailable

TIMEOUT_S = 5
"""Of a connection and of an answer."""


class AwsSecrets:
    """prefix: of every name, such as "phoenix-". client: of secretsmanager; None: made when it is first needed."""

    def __init__(self, region: str, prefix: str, client: Any = None) -> None:
        self._region, self._prefix, self._made = region, prefix, client

    def put(self, name: str, text: str) -> None:
        """See Secrets."""
        key, text = self._key(name), checked_text(text)
        try:
            self._client.put_secret_value(SecretId=key, SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._ask(self._client.create_secret, Name=key, SecretString=text)
        except Exception as error:
            raise _away(error) from error

    def get(self, name: str) -> str | None:
        """See Secrets."""
        try:
            return str(self._client.get_secret_value(SecretId=self._key(name))["SecretString"])
        except self._client.exceptions.ResourceNotFoundException:
            return None
        except PhoenixError:
            raise
        except Exception as error:
            raise _away(error) from error

    def delete(self, name: str) -> None:
        """See Secrets. At once: a name may be used again the same day."""
        self._ask(self._client.delete_secret, SecretId=self._key(name), ForceDeleteWithoutRecovery=True)

    def _ask(self, call: Any, **arguments: Any) -> None:
        try:
            call(**arguments)
        except self._client.exceptions.ResourceNotFoundException:
            return
        except Exception as error:
            raise _away(error) from error

    @property
    def _client(self) -> Any:
        if self._made is None:
            import boto3
            from botocore.config import Config

            config = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2})
            self._made = boto3.client("secretsmanager", region_name=self._region, config=config)
        return self._made

    def _key(self, name: str) -> str:
        return self._prefix + checked_name(name)


def _away(error: Exception) -> Unavailable:
    """The kind of failure alone: texts of the service are not known to hold no secret."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
    return Unavailable(f"AWS Secrets Manager refused or did not answer: {code}")
