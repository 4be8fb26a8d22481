"""A whole control plane in process, with hosts around it and a clock in the test's hand.

Everything is real but the clock, chance, the collector binary and the hosts: routes, gateway, services, wire formats,
store. `pass_time` moves the clock second by second: hosts live, then the control plane ticks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import app
from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.bootstrap import ControlPlane, Outside, build
from chalicelib.domain.access import DEFAULT_TENANT, Role
from chalicelib.domain.audit import AuditRecord, broken_at
from chalicelib.ports.clusters import ClusterApis
from chalicelib.ports.items import ItemStore
from chalicelib.ports.kpis import KpiSources
from chalicelib.settings import ROOT, Settings
from phoenix_cli.local.gateway import Gateway
from tests.fakes.clock import CountedEntropy, SettableClock
from tests.fakes.dying_store import Died
from tests.fakes.items import MemoryItemStore
from tests.fakes.validator import FakeValidator
from tests.functional.control_plane.asgi import Answer, Asgi
from tests.functional.control_plane.fake_host import FakeHost

OPERATOR, VIEWER = Role.OPERATOR.value, Role.VIEWER.value
R = TypeVar("R")
LONG = 1200
"""Seconds of simulated time after which a wait has failed."""


@cache
def catalog() -> FileCatalog:
    """Phoenix's own catalog, read once."""
    return FileCatalog(ROOT / "catalog")


class World:
    """folder: of the SQLite store. memory: keep everything in memory instead. Ends with `close`."""

    def __init__(
        self,
        folder: Path,
        *,
        memory: bool = False,
        kpi_sources: KpiSources | None = None,
        clusters: ClusterApis | None = None,
    ) -> None:
        self.clock, self.entropy, self.validator = SettableClock(), CountedEntropy(), FakeValidator()
        self.settings = Settings(data_dir=folder)
        self.hosts: dict[str, FakeHost] = {}
        self.tokens: dict[str, str] = {}
        self.kpi_sources, self.clusters = kpi_sources, clusters
        self.deaths = 0
        self.remains: ItemStore | None = MemoryItemStore(self.clock.now) if memory else None
        """What a process that dies leaves behind; None: the SQLite file."""
        self.reborn: Callable[[], ItemStore] | None = None
        """Makes the store of the next process, when it is not `remains`."""
        self.control_plane: ControlPlane
        self._http: Asgi | None = None
        self.start(self.remains)
        for role in (Role.ADMIN, Role.OPERATOR, Role.VIEWER):
            tokens = self.control_plane.services.tokens
            self.tokens[role.value] = tokens.issue(DEFAULT_TENANT, role, role.value, "test")[1]

    def start(self, store: ItemStore | None = None) -> None:
        """A fresh control plane process over the same data."""
        self.close()
        outside = Outside(
            self.clock,
            self.entropy,
            store,
            catalog(),
            self.validator,
            kpi_sources=self.kpi_sources,
            clusters=self.clusters,
        )
        self.control_plane = build(self.settings, outside)
        self._http = Asgi(Gateway(app.create(self.control_plane)))

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = OPERATOR,
        raw: bytes | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. token: a role's name, a secret, or None for no Authorization header."""
        given = dict(headers or {})
        if token is not None:
            given["authorization"] = f"Bearer {self.tokens.get(token, token)}"
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
            content_type = content_type or "application/json"
        if content_type is not None:
            given["content-type"] = content_type
        assert self._http is not None
        return self._http.call(method, target, given, raw or b"")

    def get(self, target: str, token: str = VIEWER) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.send("GET", target, token=token)
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, target: str, body: Any = None, *, token: str = OPERATOR) -> Any:
        """The JSON of a POST that must succeed."""
        answer = self.send("POST", target, body, token=token)
        assert answer.status in (200, 201), answer.body
        return answer.json

    def host(self, name: str, labels: dict[str, str] | None = None) -> FakeHost:
        """Enrol a host over HTTP and let it say hello."""
        secret = self.post("/api/v1/enrolments", {"host": name})["token"]
        body = {"token": secret, "host": name, "labels": labels or {}}
        answer = self.send("POST", "/api/v1/enrolments/exchange", body, token=None)
        assert answer.status == 201, answer.body
        made = FakeHost(name, answer.json["token"], self.send)
        self.hosts[name] = made
        made.live(self.clock.now())
        return made

    def pass_time(self, seconds: float = 1, step: float = 1) -> None:
        """Time passes; every `step` seconds the hosts live and the control plane ticks."""
        for _ in range(max(1, round(seconds / step))):
            self.clock.advance(step)
            for host in self.hosts.values():
                self._live(host)
            self.mortal(lambda: self.control_plane.tick())

    def _live(self, host: FakeHost) -> None:
        """One second of a host; a control plane that dies under it is not its end."""
        for _ in range(5):
            if self.mortal(lambda: host.live(self.clock.now())):
                return

    def insist(self, method: str, target: str, body: Any = None) -> Answer:
        """An operator's request, repeated when the control plane died under it, until it is taken or had been."""
        answer: Answer | None = None
        for _ in range(120):
            deaths = self.deaths
            answer = self.mortal(lambda: self.send(method, target, body))
            if answer is not None and answer.status < 300:
                return answer
            assert self.deaths, answer and answer.body
            if deaths == self.deaths and self._had_been(target, body):
                return self.send("GET", target.partition("?")[0])
            self.pass_time()
        raise AssertionError(f"never taken: {method} {target}: {answer and answer.body!r}")

    def _had_been(self, target: str, body: Any) -> bool:
        """Whether a refusal only says that the request was carried out before the death."""
        name = body["metadata"]["name"] if isinstance(body, dict) and "metadata" in body else target.split("/")[4]
        return self.send("GET", f"/api/v1/experiments/{name}").status == 200

    def mortal(self, act: Callable[[], R]) -> R | None:
        """Carry on with a fresh process when this one dies in the act."""
        try:
            return act()
        except Died:
            self.deaths += 1
            self.start(self.reborn() if self.reborn else self.remains)
            return None

    def until(self, what: str, condition: Callable[[], bool], within: float = LONG, step: float = 1) -> float:
        """Let time pass until the condition holds; returns the seconds."""
        start = self.clock.now()
        while not condition():
            assert self.clock.now() - start <= within, f"not within {within} s: {what}\n{self.story()}"
            self.pass_time(step, step)
        return self.clock.now() - start

    def experiment(self, name: str = "web") -> Any:
        """The experiment as the API shows it."""
        return self.get(f"/api/v1/experiments/{name}")

    def until_state(self, *states: str, name: str = "web", within: float = LONG, step: float = 1) -> Any:
        """Let time pass until the experiment is in one of these states; returns it."""
        self.until("/".join(states), lambda: self.experiment(name)["state"] in states, within, step)
        return self.experiment(name)

    def deployed(self, host: FakeHost, name: str = "base", pipeline: str = "process-baseline-v1") -> None:
        """Deploy a pipeline on a host and wait until it is proven to run."""
        self.post("/api/v1/deployments", deployment(name, [host.name], pipeline))
        self.until("deployed", lambda: self.get(f"/api/v1/deployments/{name}")["settled"], 60)

    def claimed(self, host: str) -> str:
        """The experiment that holds a host, "" when it is free."""
        return str(self.get(f"/api/v1/hosts/{host}")["experiment"])

    def chain(self, subject: str) -> list[AuditRecord]:
        """A subject's audit records; the chain must be whole."""
        found = self.control_plane.services.audit.chain(DEFAULT_TENANT, subject)
        assert broken_at(found) is None
        return found

    def story(self, name: str = "web") -> str:
        """What happened to an experiment, for messages of failed tests."""
        answer = self.send("GET", f"/api/v1/experiments/{name}")
        if answer.status != 200:
            return answer.body.decode()
        return "\n".join(f"{e['at']:.0f} {e['state']} {e['cause']} {e['detail']}" for e in answer.json["events"])


def manifest(hosts: list[str], name: str = "web", **spec: Any) -> dict[str, Any]:
    """A sound experiment that decides within a minute. spec: what is different."""
    return {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name, "labels": {"team": "platform"}},
        "spec": {
            "baseline": {"pipeline": "process-baseline-v1"},
            "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}},
            "targets": {"hosts": hosts},
            "critical": [{"name": "^nginx$"}],
            "interval": "1s",
            "schedule": {"warmUp": "2s", "minDuration": "20s", "maxDuration": "40s", "evaluateEvery": "2s"},
            **spec,
        },
    }


def deployment(name: str, hosts: list[str], pipeline: str, **parameters: Any) -> dict[str, Any]:
    """A request to deploy."""
    return {"name": name, "hosts": hosts, "plan": {"pipeline": {"pipeline": pipeline, "parameters": parameters}}}
