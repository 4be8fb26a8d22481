"""A host as the control plane sees it: a supervisor that polls, a collector that counts, an agent with its loads.

It speaks real protobuf over the gateway and does what the stock supervisor does, as far as opamp.md measured it: it
reports only what changed, answers ReportFullState, says again what was not heard, never rolls back, and says FAILED
with an exit code only. The test decides what its collector refuses, what it counts, and when it is away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from opentelemetry._opamp.proto import opamp_pb2

from tests.functional.control_plane.asgi import Answer
from tests.functional.control_plane.wire import CAPABILITIES, SECOND, Process, Stream, counts, hello, own_metrics

EXIT_CODE = "Agent exited unexpectedly with exit code 1 while applying configuration"
PROTOBUF = "application/x-protobuf"
NGINX: tuple[Process, ...] = (("nginx", "nginx", 11), ("nginx", "nginx", 12))

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Post = Callable[..., Answer]


@dataclass
class Behaviour:
    """What a test may change while the host runs."""

    away: bool = False
    """Neither polls nor sends."""
    silent: bool = False
    """Polls, but its collector's counts do not arrive."""
    refuses: Callable[[Mapping[str, Any]], str] = lambda config: ""
    """The collector's own words about a configuration that it does not start with, "" when it starts."""
    series: dict[str, int] = field(
        default_factory=lambda: {
            "raw": 7000,
            "baseline": 7000,
            "candidate": 600,
            "deployed": 600,
            "candidate_raw": 7010,
        }
    )
    critical: tuple[Process, ...] = NGINX
    loses: tuple[Process, ...] = ()
    """Critical processes that the candidate arm does not report."""
    loses_deployed: tuple[Process, ...] = ()
    """Critical processes that a deployment's only arm does not report."""
    load_phase: str = "running"
    """What becomes of a load that is wanted."""
    load_agent_dead: bool = False
    cpu_share: float = 0.02
    rss: int = 80 * 1024**2


class FakeHost:
    """One host. post: sends a request with this host's own token."""

    def __init__(self, name: str, token: str, post: Post) -> None:
        self.name, self.token, self._post = name, token, post
        self.behaviour = Behaviour()
        self.opamp = "/v1/opamp"
        """Where its supervisor polls."""
        self.uid = hashlib.sha256(name.encode()).digest()[:16]
        self.config: dict[str, Any] | None = None
        """What its collector runs."""
        self.offers: list[dict[str, Any]] = []
        """Every configuration it was given, in order."""
        self.answers: list[opamp_pb2.ServerToAgent] = []
        self._sequence = -1
        self._hash = b""
        self._status = opamp_pb2.RemoteConfigStatuses_UNSET
        self._error = ""
        self._healthy = False
        self._health_error = ""
        self._started = 0.0
        self._told: dict[str, bytes] = {}
        self._next_scrape = 0.0
        self._loads: dict[str, dict[str, Any]] = {}
        """What was said of each load last."""
        self._resolved = b""
        self._unheard = b""
        """A message whose answer never came: opamp-go sends the same bytes again."""
        self._queue: list[bytes] = []
        """Measurements not yet taken."""

    @property
    def marker(self) -> str:
        """Of the configuration that its collector runs, "" for none."""
        return self._identity().get("phoenix.config", "")

    def live(self, now: float) -> bool:
        """One second of its life; True when it came to its end."""
        if self.behaviour.away:
            return True
        self.poll(now)
        self._scrape(now)
        while self._queue:
            self.send(self._queue[0])
            self._queue.pop(0)
        self._agent()
        return True

    def poll(self, now: float, *, full: bool = False) -> Answer:
        """One OpAMP exchange; takes what is offered."""
        return self.deliver(self._unheard or self.message(full=full), now)

    def message(self, *, full: bool = False) -> bytes:
        """The next message of its supervisor."""
        self._sequence += 1
        said = opamp_pb2.AgentToServer(instance_uid=self.uid, sequence_num=self._sequence, capabilities=CAPABILITIES)
        parts = opamp_pb2.AgentToServer()
        hello(parts)
        parts.health.healthy, parts.health.last_error = self._healthy, self._health_error
        parts.health.start_time_unix_nano = int(self._started * SECOND) if self._healthy else 0
        parts.effective_config.config_map.config_map[""].body = self._resolved if self.config else b""
        parts.remote_config_status.last_remote_config_hash = self._hash
        parts.remote_config_status.status = self._status
        parts.remote_config_status.error_message = self._error
        for name in ("agent_description", "health", "effective_config", "remote_config_status"):
            part = getattr(parts, name)
            text = part.SerializeToString(deterministic=True)
            if full or self._told.get(name) != text:
                getattr(said, name).CopyFrom(part)
                self._told[name] = text
        return said.SerializeToString()

    def deliver(self, body: bytes, now: float) -> Answer:
        """Send a message, and act on the answer as a supervisor does."""
        self._unheard = body
        answer = self._post("POST", self.opamp, raw=body, content_type=PROTOBUF, token=self.token)
        self._unheard = b""
        if answer.status != 200:
            self._told.clear()
            return answer
        reply = opamp_pb2.ServerToAgent.FromString(answer.body)
        self.answers.append(reply)
        if reply.flags & opamp_pb2.ServerToAgentFlags_ReportFullState:
            self._told.clear()
        if reply.HasField("remote_config") and reply.remote_config.config_hash != self._hash:
            self._take(reply.remote_config, now)
        return answer

    def say_why(self, text: str, now: float) -> Answer:
        """Its agent's report with the collector's own words, found in the log."""
        error = {"text": text, "at": now, "marker": self._hash.decode(), "second": self.opamp.endswith("/second")}
        said = {"collectorError": error, "collectors": 2}
        return self._post("PUT", f"/api/v1/hosts/{self.name}/status", said, token=self.token)

    def forget(self) -> None:
        """Its disk was wiped: a supervisor without storage begins again, under the same name and token."""
        self.uid = hashlib.sha256(self.uid).digest()[:16]
        self._sequence, self._hash, self._status = -1, b"", opamp_pb2.RemoteConfigStatuses_UNSET
        self.config, self._healthy, self._unheard = None, False, b""
        self._told.clear()

    def send(self, body: bytes) -> Answer:
        """One measurement request."""
        return self._post("POST", "/v1/metrics", raw=body, content_type=PROTOBUF, token=self.token)

    def counted(self, at: float) -> bytes:
        """The counts of a scrape at `at` as its collector would send them."""
        streams = []
        for variant in self._variants():
            lost = {"candidate": self.behaviour.loses, "deployed": self.behaviour.loses_deployed}.get(variant, ())
            critical = tuple(one for one in self.behaviour.critical if one not in lost)
            streams.append(Stream(variant, self.behaviour.series[variant], critical))
        return counts(self._identity(), streams, at).SerializeToString()

    def _take(self, remote: opamp_pb2.AgentRemoteConfig, now: float) -> None:
        config = yaml.load(remote.config.config_map[""].body, Loader=_LOADER)  # noqa: S506 - a safe loader
        self.offers.append(config)
        self._hash = remote.config_hash
        words = self.behaviour.refuses(config)
        if words:
            self._status, self._error = opamp_pb2.RemoteConfigStatuses_FAILED, EXIT_CODE
            self._healthy, self._health_error, self.config = False, EXIT_CODE, None
            self.say_why(words, now)
            return
        self._status, self._error = opamp_pb2.RemoteConfigStatuses_APPLIED, ""
        self._healthy, self._health_error = True, ""
        self.config, self._started, self._next_scrape = config, now, now
        self._resolved = yaml.dump(config, Dumper=_DUMPER).replace("${env:PHOENIX_TOKEN}", self.token).encode()

    def _identity(self) -> dict[str, str]:
        telemetry = ((self.config or {}).get("service") or {}).get("telemetry") or {}
        resource = telemetry.get("resource") or {}
        return {key: str(value) for key, value in resource.items() if key.startswith("phoenix.")}

    def _variants(self) -> list[str]:
        pipelines = ((self.config or {}).get("service") or {}).get("pipelines") or {}
        found = [
            name
            for name in ("raw", "baseline", "candidate", "deployed", "candidate_raw")
            if f"metrics/{name}.kpi" in pipelines
        ]
        return found if "phoenix.scope" in self._identity() else []

    def _scrape(self, now: float) -> None:
        if self.config is None or now < self._next_scrape or not self._variants():
            return
        interval = float(str(self.config["receivers"]["hostmetrics"]["collection_interval"]).rstrip("s"))
        self._next_scrape = now + interval
        if self.behaviour.silent:
            return
        spent = 0.5 + self.behaviour.cpu_share * (now - self._started)
        own = own_metrics(self._identity(), self._started - 1, now, spent, self.behaviour.rss).SerializeToString()
        self._queue += [self.counted(now), own]

    def _agent(self) -> None:
        if self.behaviour.load_agent_dead:
            return
        path = f"/api/v1/hosts/{self.name}/loadsims"
        for wanted in self._post("GET", path, token=self.token).json["items"]:
            phase = "stopped" if wanted["desired"] == "stopped" else self.behaviour.load_phase
            status = {"phase": phase, "generation": wanted["generation"], "running": 3 if phase == "running" else 0}
            if phase == "failed":
                status["reason"] = "fork: resource temporarily unavailable"
            if self._loads.get(wanted["name"]) != status:
                self._post("PUT", f"{path}/{wanted['name']}/status", status, token=self.token)
                self._loads[wanted["name"]] = status
