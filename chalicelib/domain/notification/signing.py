"""Signatures as Standard Webhooks 1.0.0 has them (standardwebhooks.com): HMAC-SHA256 over id.timestamp.body.

A webhook's secret is derived from the control plane's key and the webhook's uid, so that the store holds no secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def secret(key: bytes, tenant: str, uid: str) -> str:
    """The signing secret as it is shown once: whsec_ and 32 bytes in base64."""
    raw = hmac.new(key, f"webhook\n{tenant}\n{uid}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(raw).decode()


def headers(shown: str, message: str, now: float, body: bytes) -> dict[str, str]:
    """The three headers of one attempt. shown: the secret with its prefix. message: the id, without a full stop."""
    timestamp = str(int(now))
    key = base64.b64decode(shown.removeprefix(PREFIX))
    signed = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
