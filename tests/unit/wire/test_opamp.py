"""OpAMP messages: what is read, what is refused, what is answered."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry._opamp.proto import opamp_pb2

from chalicelib.adapters.opamp.effective import Unreadable, read_config
from chalicelib.adapters.opamp.wire import OpampCodec
from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.fleet.report import AgentReply, ConfigStatus, Offer
from chalicelib.domain.pipeline.marker import content_hash, stamp

UID = bytes(range(16))
CONFIG = {"exporters": {"otlp_http/x": {"headers": {"authorization": "Bearer ${env:PHOENIX_TOKEN}"}}}, "service": {}}


def nothing(marker: str) -> Mapping[str, Any] | None:
    return None


def message(**fields: Any) -> opamp_pb2.AgentToServer:
    return opamp_pb2.AgentToServer(instance_uid=UID, sequence_num=3, capabilities=0x1807, **fields)


def effective(body: bytes, name: str = "") -> bytes:
    said = message()
    said.effective_config.config_map.config_map[name].body = body
    return said.SerializeToString()


def test_heartbeat_says_nothing_new_and_gzip_changes_nothing() -> None:
    body = message().SerializeToString()
    report = OpampCodec().decode(body, nothing)
    assert (report.instance_uid, report.sequence, report.capabilities) == (UID.hex(), 3, 0x1807)
    assert [report.description, report.health, report.effective, report.remote] == [None] * 4
    assert OpampCodec().decode(gzip.compress(body), nothing) == report


def test_everything_is_read_and_bounded() -> None:
    said = message()
    for index in range(200):
        pair = said.agent_description.non_identifying_attributes.add(key=f"k{index}")
        pair.value.string_value = "v" * 10_000
    version = said.agent_description.identifying_attributes.add(key="service.version")
    version.value.string_value = "0.155.0"
    said.health.last_error = "token=abcdef " + "x" * 100_000
    said.health.start_time_unix_nano = 5
    said.remote_config_status.status = opamp_pb2.RemoteConfigStatuses_FAILED
    said.remote_config_status.last_remote_config_hash = b"0123456789abcdef.7"
    said.remote_config_status.error_message = "no"
    said.agent_disconnect.SetInParent()
    report = OpampCodec().decode(said.SerializeToString(), nothing)
    assert report.description is not None
    assert report.description.version == "0.155.0"
    assert len(report.description.non_identifying) == 32
    assert max(map(len, report.description.non_identifying.values())) == 256
    assert report.health is not None
    assert len(report.health.last_error) == 2000
    assert "abcdef" not in report.health.last_error
    assert report.remote is not None
    assert (report.remote.status, report.remote.marker, report.remote.error) == (
        ConfigStatus.FAILED,
        "0123456789abcdef.7",
        "no",
    )
    assert report.disconnect


def test_hash_of_another_server_is_shown_in_hexadecimal() -> None:
    said = message()
    said.remote_config_status.last_remote_config_hash = b"\xff\x00" * 100
    report = OpampCodec().decode(said.SerializeToString(), nothing)
    assert report.remote is not None
    assert report.remote.marker == ("ff00" * 100)[:64]


@pytest.mark.parametrize("body", [b"garbage", b"\xff" * 50, b"", b"\x1f\x8bgarbage", message().SerializeToString()[:9]])
def test_garbage_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        OpampCodec().decode(body, nothing)


def test_uid_must_have_sixteen_bytes() -> None:
    with pytest.raises(InvalidInput) as caught:
        OpampCodec().decode(opamp_pb2.AgentToServer(instance_uid=b"short").SerializeToString(), nothing)
    assert caught.value.problems[0].pointer == "/instanceUid"


def test_long_bodies_are_refused() -> None:
    with pytest.raises(TooLarge):
        OpampCodec().decode(b"x" * (4 * 1024 * 1024 + 1), nothing)


def test_effective_configuration_loses_its_secrets_and_keeps_its_marker() -> None:
    stamped, marker = stamp(CONFIG, 4)
    running = {**stamped, "exporters": {"otlp_http/x": {"headers": {"authorization": "Bearer phx_secret"}}}}
    body = effective(yaml.safe_dump(running).encode())
    report = OpampCodec().decode(body, {marker: stamped}.get)
    assert report.effective is not None
    assert report.effective.marker == marker
    assert report.effective.config == stamped
    unknown = OpampCodec().decode(body, nothing)
    assert unknown.effective is not None
    assert "phx_secret" not in str(unknown.effective)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"a: [b", "not YAML"),
        (b"\xff\xfe", "not YAML"),
        (b"- 1", "not a mapping"),
        (b"a: &x [1]\nb: *x", "aliases"),
        (b"[" * 100_000, "deeper"),
        (b"a: [" + b"1," * 60_000 + b"1]", "nodes"),
        (b"a: " + b"1:" * 400_000 + b"1", "number"),
        (b"a: !!python/object/apply:os.system [x]", "not YAML"),
        (b"a: !!python/name:os.system x", "tag"),
        (b"x" * (1024 * 1024 + 1), "longer"),
    ],
)
def test_unreadable_effective_configuration_is_a_value_with_a_reason(body: bytes, reason: str) -> None:
    report = OpampCodec().decode(effective(body), nothing)
    assert report.effective is not None
    assert report.effective.config is None
    assert reason in report.effective.unreadable


def test_empty_effective_configuration_is_no_error_and_several_files_are() -> None:
    empty = OpampCodec().decode(effective(b""), nothing).effective
    assert empty is not None
    assert (empty.config, empty.unreadable) == (None, "")
    said = message()
    for name in ("", "b"):
        said.effective_config.config_map.config_map[name].body = b"a: 1"
    several = OpampCodec().decode(said.SerializeToString(), nothing).effective
    assert several is not None
    assert "several" in several.unreadable


def test_reply_carries_uid_interval_flag_and_offer() -> None:
    stamped, marker = stamp(CONFIG, 4)
    offer = Offer(content_hash=content_hash(CONFIG), revision=4, marker=marker)
    reply = AgentReply(instance_uid=UID.hex(), report_full_state=True, heartbeat_seconds=7, offer=offer)
    sent = opamp_pb2.ServerToAgent.FromString(OpampCodec().encode(reply, stamped))
    assert (sent.instance_uid, sent.capabilities, sent.flags) == (UID, 7 | 32, 1)
    assert sent.connection_settings.opamp.heartbeat_interval_seconds == 7
    assert sent.remote_config.config_hash == marker.encode()
    file = sent.remote_config.config.config_map[""]
    assert file.content_type == "text/yaml"
    assert yaml.safe_load(file.body) == stamped
    quiet = opamp_pb2.ServerToAgent.FromString(
        OpampCodec().encode(AgentReply(instance_uid=UID.hex(), heartbeat_seconds=1), None)
    )
    assert not quiet.HasField("remote_config")


def test_offer_with_another_body_is_a_mistake_of_the_caller() -> None:
    stamped, marker = stamp(CONFIG, 4)
    reply = AgentReply(
        instance_uid=UID.hex(), heartbeat_seconds=1, offer=Offer(content_hash="x", revision=5, marker=marker[:-1] + "5")
    )
    for config in (stamped, None):
        with pytest.raises(ValueError, match=r"stamped|offer"):
            OpampCodec().encode(reply, config)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_lead_to_anything_but_a_report_or_our_own_errors(body: bytes) -> None:
    try:
        OpampCodec().decode(body, nothing)
    except (InvalidInput, TooLarge):
        return


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_leads_to_anything_but_a_mapping_or_a_reason(text: str) -> None:
    try:
        config = read_config(text.encode("utf-8", "replace"))
    except Unreadable:
        return
    assert config is None or isinstance(config, dict)
