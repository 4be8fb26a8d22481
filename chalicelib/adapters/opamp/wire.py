"""OpAMP messages: AgentToServer bytes to AgentReport, AgentReply to ServerToAgent bytes. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry._opamp.proto import anyvalue_pb2, opamp_pb2

from chalicelib.adapters.opamp.effective import Unreadable, read_config
from chalicelib.adapters.wire.body import plain
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.fleet.report import (
    MAX_ATTRIBUTES,
    AgentReply,
    AgentReport,
    ConfigStatus,
    Description,
    Effective,
    Health,
    RemoteStatus,
)
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.marker import find_marker
from chalicelib.domain.pipeline.masking import mask_secrets, mask_text
from chalicelib.ports.wire import Offered

MAX_BODY_BYTES = 4 * 1024 * 1024
CONTENT_TYPE = "application/x-protobuf"
_UID_BYTES = 16
_MARKER_CHARACTERS = 64
_ACCEPTS_STATUS, _OFFERS_CONFIG, _ACCEPTS_EFFECTIVE, _OFFERS_CONNECTION = 1, 2, 4, 32
_CAPABILITIES = _ACCEPTS_STATUS | _OFFERS_CONFIG | _ACCEPTS_EFFECTIVE | _OFFERS_CONNECTION
_STATUS = {
    opamp_pb2.RemoteConfigStatuses_UNSET: ConfigStatus.UNSET,
    opamp_pb2.RemoteConfigStatuses_APPLIED: ConfigStatus.APPLIED,
    opamp_pb2.RemoteConfigStatuses_APPLYING: ConfigStatus.APPLYING,
    opamp_pb2.RemoteConfigStatuses_FAILED: ConfigStatus.FAILED,
}


class OpampCodec:
    """Implements ports.wire.AgentCodec."""

    def decode(self, body: bytes, offered: Offered) -> AgentReport:
        """See the port."""
        data = plain(body, MAX_BODY_BYTES)
        message = opamp_pb2.AgentToServer()
        try:
            message.ParseFromString(data)
        except DecodeError as e:
            raise InvalidInput("the body is no OpAMP AgentToServer message", hint="send protobuf, plain or gzip") from e
        if len(message.instance_uid) != _UID_BYTES:
            rule = f"has {len(message.instance_uid)} bytes, not {_UID_BYTES}"
            raise InvalidInput(
                f"instance_uid {rule}", problems=(Problem("/instanceUid", rule, "send a UUID as its 16 bytes"),)
            )
        return AgentReport(
            instance_uid=message.instance_uid.hex(),
            sequence=message.sequence_num,
            capabilities=message.capabilities,
            description=_description(message),
            health=_health(message),
            effective=_effective(message, offered),
            remote=_remote(message),
            disconnect=message.HasField("agent_disconnect"),
            digest=hashlib.sha256(data).hexdigest(),
        )

    def encode(self, reply: AgentReply, config: Mapping[str, Any] | None) -> bytes:
        """See the port."""
        if (reply.offer is None) != (config is None):
            raise ValueError("an offer needs its configuration, and a configuration its offer")
        message = opamp_pb2.ServerToAgent(instance_uid=bytes.fromhex(reply.instance_uid), capabilities=_CAPABILITIES)
        message.connection_settings.opamp.heartbeat_interval_seconds = reply.heartbeat_seconds
        if reply.report_full_state:
            message.flags = opamp_pb2.ServerToAgentFlags_ReportFullState
        if reply.offer is not None and config is not None:
            if find_marker(config) != reply.offer.marker:
                raise ValueError(f"the configuration is not stamped {reply.offer.marker}")
            file = message.remote_config.config.config_map[""]
            file.body = to_yaml(config).encode()
            file.content_type = "text/yaml"
            message.remote_config.config_hash = reply.offer.marker.encode()
        return message.SerializeToString()


def _description(message: opamp_pb2.AgentToServer) -> Description | None:
    if not message.HasField("agent_description"):
        return None
    said = message.agent_description
    return Description(
        identifying=_attributes(said.identifying_attributes),
        non_identifying=_attributes(said.non_identifying_attributes),
    )


def _attributes(pairs: Iterable[anyvalue_pb2.KeyValue]) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            out[pair.key] = mask_text(str(getattr(pair.value, kind)))
        if len(out) >= MAX_ATTRIBUTES:
            break
    return out


def _health(message: opamp_pb2.AgentToServer) -> Health | None:
    if not message.HasField("health"):
        return None
    said = message.health
    return Health(
        healthy=said.healthy,
        last_error=mask_text(said.last_error),
        status=said.status,
        start_ns=said.start_time_unix_nano,
    )


def _remote(message: opamp_pb2.AgentToServer) -> RemoteStatus | None:
    if not message.HasField("remote_config_status"):
        return None
    said = message.remote_config_status
    status = _STATUS.get(said.status, ConfigStatus.UNSET)
    return RemoteStatus(
        status=status, marker=_marker(said.last_remote_config_hash), error=mask_text(said.error_message)
    )


def _marker(config_hash: bytes) -> str:
    """Our hashes are markers in ASCII; another server's may be any bytes and are shown in hexadecimal."""
    text = config_hash[:_MARKER_CHARACTERS].decode("ascii", "replace")
    return text if text.isprintable() and "\ufffd" not in text else config_hash.hex()[:_MARKER_CHARACTERS]


def _effective(message: opamp_pb2.AgentToServer, offered: Offered) -> Effective | None:
    if not message.HasField("effective_config"):
        return None
    files = message.effective_config.config_map.config_map
    named = [name for name in files if files[name].body]
    if not named:
        return Effective()
    if len(named) > 1:
        return Effective(unreadable="several files; a supervisor reports one")
    try:
        config = read_config(files[named[0]].body)
    except Unreadable as e:
        return Effective(unreadable=mask_text(str(e)))
    if config is None:
        return Effective()
    marker = find_marker(config) or ""
    return Effective(config=mask_secrets(config, offered(marker) if marker else None), marker=marker)
