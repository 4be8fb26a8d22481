"""A control plane of one host, for tests: HTTP around the real codec and the real decisions, state in memory."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry._opamp.proto import opamp_pb2

from chalicelib.adapters.opamp.wire import OpampCodec
from chalicelib.domain.errors import PhoenixError
from chalicelib.domain.fleet.assignments import assign
from chalicelib.domain.fleet.judge import IDLE_CONFIG, IDLE_HASH, expire
from chalicelib.domain.fleet.receive import receive
from chalicelib.domain.fleet.report import AgentReply, AgentReport
from chalicelib.domain.fleet.state import AgentState, Event, EventKind, FleetPolicy, Purpose
from chalicelib.domain.fleet.status import HostConfigStatus, status_of
from chalicelib.domain.pipeline.marker import content_hash, stamp


class ControlPlane:
    """Start with `with ControlPlane() as control_plane`. `reports` and `events` carry the time of arrival."""

    def __init__(self, policy: FleetPolicy | None = None) -> None:
        self.policy = policy or FleetPolicy(idle_heartbeat=1)
        self.state = AgentState()
        self.bodies: dict[str, Mapping[str, Any]] = {IDLE_HASH: IDLE_CONFIG}
        self.reports: list[tuple[float, AgentReport]] = []
        self.replies: list[AgentReply] = []
        self.events: list[tuple[float, Event]] = []
        self.effective: dict[str, Any] = {}
        self.gzip_replies = False
        self.broken_yaml: set[str] = set()
        """Content hashes that are sent as text that is no YAML."""
        self.on_report: Callable[[AgentReport], None] = lambda report: None
        self.lock = threading.RLock()
        self.codec = OpampCodec()
        control_plane = self

        class Handler(_Handler):
            owner = control_plane

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1/opamp"

    def __enter__(self) -> ControlPlane:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def want(self, scope: str, config: Mapping[str, Any], purpose: Purpose = Purpose.DEPLOY) -> str:
        """Assign a configuration; returns its marker."""
        with self.lock:
            key = content_hash(config)
            self.bodies[key] = config
            self.state = assign(self.state, scope, key, time.time(), purpose)
            assert self.state.desired is not None
            return self.state.desired.marker

    def status(self, scope: str) -> HostConfigStatus:
        with self.lock:
            return status_of(self.state, scope, time.time(), self.policy)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> float:
        """Seconds until `condition` held; time runs out loudly, with what happened so far."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            with self.lock:
                self._expire()
                if condition():
                    return time.monotonic() - start
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s: {what}\n{self.state}\n{[event for _, event in self.events]}")

    def when(self, kind: EventKind, scope: str) -> float:
        """Unix seconds of the first such event."""
        return next(at for at, event in self.events if event.kind == kind and event.scope == scope)

    def kinds(self) -> list[str]:
        return [event.kind.value for _, event in self.events]

    def answer(self, body: bytes) -> bytes:
        with self.lock:
            now = time.time()
            report = self.codec.decode(body, self._offered)
            self.reports.append((now, report))
            self.on_report(report)
            outcome = receive(self.state, report, now, self.policy)
            self.state = outcome.state
            self.events += [(now, event) for event in outcome.events]
            self.replies.append(outcome.reply)
            if outcome.effective is not None:
                self.effective = outcome.effective
            self._expire()
            return self._encode(outcome.reply)

    def _encode(self, reply: AgentReply) -> bytes:
        if reply.offer is None:
            return self.codec.encode(reply, None)
        config, _ = stamp(self.bodies[reply.offer.content_hash], reply.offer.revision)
        encoded = self.codec.encode(reply, config)
        if reply.offer.content_hash not in self.broken_yaml:
            return encoded
        message = opamp_pb2.ServerToAgent.FromString(encoded)
        message.remote_config.config.config_map[""].body = b"receivers: [nop"
        return message.SerializeToString()

    def _expire(self) -> None:
        now = time.time()
        self.state, events = expire(self.state, now, self.policy)
        self.events += [(now, event) for event in events]

    def _offered(self, marker: str) -> Mapping[str, Any] | None:
        known = (self.state.desired, self.state.confirmed)
        one = next((item for item in known if item and item.marker == marker), None)
        return stamp(self.bodies[one.content_hash], one.revision)[0] if one else None


class _Handler(BaseHTTPRequestHandler):
    owner: ControlPlane
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Tests read reports, not access logs."""

    def do_POST(self) -> None:
        body = self._body()
        try:
            status, reply = 200, self.owner.answer(body)
        except PhoenixError as e:
            status, reply = e.status, b""
        except OSError:
            return
        self.send_response(status)
        if self.owner.gzip_replies:
            reply = gzip.compress(reply)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def _body(self) -> bytes:
        """The supervisor sends chunks and no length."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        out = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out
