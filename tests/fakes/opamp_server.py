"""A control plane for tests of the host runtime: real HTTP on a free loopback port, no Phoenix code behind it.

It speaks just enough of OpAMP polling to offer configs, records what agents and hosts send, and answers the two JSON
routes a host uses (status and enrolment). It decides nothing: tests set `offer`, `status_code` and `enrolments`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry._opamp.proto import opamp_pb2

STATUS_NAMES = {0: "UNSET", 1: "APPLIED", 2: "APPLYING", 3: "FAILED"}
# A supervisor that gets an offer while it still starts may lose it: it overwrites the offer with the config from its
# disk, runs that, and reports APPLIED for the offer (seen in about one start of twelve with supervisor 0.149).
QUIET_SECONDS = 0.5
OPAMP_PATHS = ("/v1/opamp", "/v1/opamp/second")
MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass
class Agent:
    """What one OpAMP agent said last, and when (monotonic seconds)."""

    healthy: bool = False
    last_error: str = ""
    remote_hash: bytes = b""
    remote_status: str = "UNSET"
    error_message: str = ""
    effective_config: str = ""
    description: dict[str, str] = field(default_factory=dict)
    polls: int = 0


class OpampServer:
    """Start with `with OpampServer() as server`; every attribute may be read or set while it runs."""

    def __init__(self, *, heartbeat_seconds: int = 1) -> None:
        self.token = "phx_scratch"
        self.heartbeat_seconds = heartbeat_seconds
        self.offer: str | None = None
        self.status_code = 204
        self.opamp_code = 200
        self.enrolments: dict[str, str] = {}
        self.agents: dict[bytes, Agent] = {}
        self.statuses: list[dict[str, Any]] = []
        self.status_attempts = 0
        self.status_tokens: list[str] = []
        self.enrolment_requests: list[dict[str, Any]] = []
        self.offered_at: dict[bytes, float] = {}
        self._started: dict[bytes, float] = {}
        self._lock = threading.Lock()
        server = self

        class Handler(_Handler):
            control_plane = server

        self._http = _Server(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> OpampServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def agent(self) -> Agent:
        """The only agent, or an empty one when none has come yet."""
        with self._lock:
            return next(iter(self.agents.values()), Agent())

    def wait(self, what: str, condition: Callable[[OpampServer], bool], seconds: float = 30.0) -> float:
        """Wait until the condition holds; returns the seconds it took. Fails the test when the deadline passes."""
        start = time.monotonic()
        while not condition(self):
            if time.monotonic() - start > seconds:
                raise AssertionError(
                    f"not within {seconds} s: {what}; agent: {self.agent()}; statuses: {self.statuses[-3:]}"
                )
            time.sleep(0.02)
        return time.monotonic() - start

    def opamp(self, body: bytes) -> bytes:
        message = opamp_pb2.AgentToServer.FromString(body)
        uid = bytes(message.instance_uid)
        reply = opamp_pb2.ServerToAgent(instance_uid=uid, capabilities=7 | 32)
        with self._lock:
            known = uid in self.agents
            if message.sequence_num == 0:
                self._started[uid] = time.monotonic()
            agent = self.agents.setdefault(uid, Agent())
            agent.polls += 1
            _remember(agent, message)
            if not known and not message.HasField("agent_description"):
                reply.flags = 1
            reply.connection_settings.opamp.heartbeat_interval_seconds = self.heartbeat_seconds
            self._offer(uid, agent, reply)
        return reply.SerializeToString()

    def _offer(self, uid: bytes, agent: Agent, reply: opamp_pb2.ServerToAgent) -> None:
        if self.offer is None or time.monotonic() - self._started.get(uid, 0.0) < QUIET_SECONDS:
            return
        config = self.offer.encode()
        wanted = hashlib.sha256(config).digest()
        if agent.remote_hash == wanted:
            return
        self.offered_at.setdefault(wanted, time.monotonic())
        reply.remote_config.config.config_map[""].body = config
        reply.remote_config.config.config_map[""].content_type = "text/yaml"
        reply.remote_config.config_hash = wanted


def _remember(agent: Agent, message: opamp_pb2.AgentToServer) -> None:
    if message.HasField("health"):
        agent.healthy, agent.last_error = message.health.healthy, message.health.last_error
    if message.HasField("effective_config"):
        files = message.effective_config.config_map.config_map
        agent.effective_config = "\n".join(files[name].body.decode() for name in sorted(files))
    if message.HasField("remote_config_status"):
        status = message.remote_config_status
        agent.remote_hash = bytes(status.last_remote_config_hash)
        agent.remote_status, agent.error_message = STATUS_NAMES[status.status], status.error_message
    for pair in message.agent_description.non_identifying_attributes:
        agent.description[pair.key] = pair.value.string_value


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle of a request is part of the tests; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    control_plane: OpampServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: tests read the recorded values."""

    def body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = self._chunks()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while (size := int(self.rfile.readline(1024).split(b";")[0], 16)) and sum(map(len, parts)) < MAX_BODY_BYTES:
            parts.append(self.rfile.read(size))
            self.rfile.readline(1024)
        self.rfile.readline(1024)
        return b"".join(parts)

    def answer(self, code: int, body: bytes = b"", content_type: str = "application/json") -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, code: int, title: str, detail: str) -> None:
        body = {"type": "about:blank", "title": title, "status": code, "detail": detail, "code": "PHX-TEST"}
        self.answer(code, json.dumps(body).encode(), "application/problem+json")

    def allowed(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.control_plane.token}"

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/api/v1/enrolments/exchange":
            self._enrol(json.loads(body))
        elif not self.allowed():
            self.problem(401, "not authenticated", "unknown token")
        elif self.path in OPAMP_PATHS and self.control_plane.opamp_code == 200:
            self.answer(200, self.control_plane.opamp(body), "application/x-protobuf")
        else:
            self.answer(self.control_plane.opamp_code if self.path in OPAMP_PATHS else 404)

    def do_PUT(self) -> None:
        body = json.loads(self.body())
        plane = self.control_plane
        plane.status_attempts += 1
        if not self.allowed():
            self.problem(401, "not authenticated", "unknown token")
        elif plane.status_code >= 400:
            self.problem(plane.status_code, "refused", "told to refuse")
        else:
            plane.status_tokens.append(self.path)
            plane.statuses.append(body)
            self.answer(plane.status_code)

    def _enrol(self, request: dict[str, Any]) -> None:
        plane = self.control_plane
        plane.enrolment_requests.append(request)
        if plane.enrolments.pop(str(request.get("token")), None) is None:
            self.problem(401, "not authenticated", "this enrolment token is unknown, used or expired")
            return
        self.answer(201, json.dumps({"host": request["host"], "token": plane.token}).encode())
