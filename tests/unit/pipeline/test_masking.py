"""Secrets never come out of masking, and what is no secret does."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chalicelib.domain.pipeline.masking import MAX_TEXT, REDACTED, TRUNCATED, mask_secrets, mask_text

SECRET = "s3cr3t-Value"


@pytest.mark.parametrize(
    "config",
    [
        {"headers": {"x-scope": SECRET}},
        {"headers": [{"name": "authorization", "value": SECRET}]},
        {"api": {"key": SECRET}},
        {"api_key": SECRET},
        {"apiKey": SECRET},
        {"Authorization": SECRET},
        {"auth": {"username": "u", "whatever": SECRET}},
        {"client_secret": SECRET},
        {"token": SECRET},
        {"password": SECRET},
        {"tls": {"key_pem": SECRET}},
        {"external_labels": {"tenant": SECRET}},
        {"endpoint": f"https://user:{SECRET}@host/x"},
        {"endpoint": f"https://host/x?sig={SECRET}&y=1"},
        {"x": [f"Bearer {SECRET}"]},
        {"x": f"phx_{SECRET}"},
        {"x": f"password={SECRET}"},
        {"x": f'{{"token": "{SECRET}"}}'},
        {f"phx_{SECRET}": 1},
        {"secrets": [SECRET, {"deep": [SECRET]}]},
        {"attributes": [{"key": "api_token", "value": SECRET, "action": "insert"}]},
        {"x": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"},
    ],
    ids=str,
)
def test_a_secret_is_hidden(config: dict[str, Any]) -> None:
    masked = mask_secrets({"exporters": {"e": config}})
    assert SECRET not in str(masked)
    assert REDACTED in str(masked)


@pytest.mark.parametrize(
    "config",
    [
        {"endpoint": "https://host:4318/v1/metrics"},
        {"attributes": [{"key": "phoenix.variant", "value": "a", "action": "upsert"}]},
        {"keys": ["process.pid"]},
        {"attributes": [{"key": "phoenix.critical"}]},
        {"token_file": "/etc/token", "key_file": "/etc/key"},
        {"authorization": "Bearer ${env:PHOENIX_TOKEN}"},
        {"headers": {"x": "${env:X}"}},
        {"x": 'set(attributes["token"], 1) where resource.attributes["password"] == nil'},
        {"password": "", "token": None},
        {"headers": {"authorization": REDACTED}},
        {"phoenix.config": "0123456789abcdef.7"},
        {"x": 5, "y": 0.5, "z": True},
    ],
    ids=str,
)
def test_what_is_no_secret_stays(config: dict[str, Any]) -> None:
    assert mask_secrets(config) == config


def test_offered_references_are_put_back() -> None:
    offered = {
        "exporters": {"e": {"endpoint": "https://${env:USER}.example", "x": ["a", "${env:B}"], "n": "${env:PORT}"}},
        "processors": {"filter/x": {"metric_conditions": ['name == "${env:C}"']}},
    }
    effective = {
        "exporters": {"e": {"endpoint": "https://alice.example", "x": ["a", SECRET], "n": 4318}},
        "processors": {"filter/x": {"metric_conditions": [{"conditions": [f'name == "{SECRET}"'], "context": ""}]}},
    }
    masked = mask_secrets(effective, offered)
    assert masked["exporters"] == offered["exporters"]
    assert SECRET not in str(masked)
    assert masked["processors"]["filter/x"]["metric_conditions"] == [REDACTED]


def test_size_and_depth_are_bounded() -> None:
    deep: dict[str, Any] = {}
    here = deep
    for _ in range(500):
        here["x"] = {}
        here = here["x"]
    assert TRUNCATED in str(mask_secrets(deep))
    wide = {f"k{index}": [0] * 100 for index in range(2000)}
    assert len(str(mask_secrets(wide))) < 400_000
    assert len(mask_text("x" * 10 * MAX_TEXT)) == MAX_TEXT + len(TRUNCATED)


@pytest.mark.parametrize(
    "unit", ["a://", "a.", "token", "-eyJaaaaaa", "Bearer ", "-----BEGIN A-----", "password=", "a@"]
)
def test_no_text_is_slow_to_mask(unit: str) -> None:
    started = time.process_time()
    mask_text(unit * MAX_TEXT)
    assert time.process_time() - started < 1.0
