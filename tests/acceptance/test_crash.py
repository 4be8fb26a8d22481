"""The control plane killed, stopped and away, and a host away, in the middle of experiments: nothing is lost, and
nothing is made up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from phoenix_cli.profile import load_profile
from tests.acceptance.machine import Machine
from tests.acceptance.manifests import manifest, written
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

HOST = "node-c"
NAME = "survives"
AWAY_S = 10.0
Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def shaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine of this file's own."""
    with Machine(tmp_path_factory.mktemp("shaken"), HOST) as machine:
        machine.up()
        machine.enrol()
        yield machine


class Writer:
    """Keeps creating tokens over the API, and notes each one that the control plane acknowledged."""

    def __init__(self, machine: Machine) -> None:
        self._url, self._token = machine.url, load_profile(machine.phoenix.env).token
        self.acknowledged: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=20)

    def _run(self) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}, timeout=5) as client:
            while not self._stop.wait(0.05):
                body = {"name": f"t{len(self.acknowledged)}", "role": "viewer"}
                with suppress(httpx.HTTPError):
                    reply = client.post(f"{self._url}/api/v1/tokens", json=body)
                    if reply.status_code == 201:
                        self.acknowledged.append(reply.json()["id"])


@dataclass
class Story:
    """What happened while the experiment ran. Times are Unix seconds."""

    acknowledged: list[str]
    restart_seconds: list[float] = field(default_factory=list)
    away: tuple[float, float] = (0.0, 0.0)
    result: dict[str, Any] = field(default_factory=dict)
    code: int = -1


@pytest.fixture(scope="module")
def story(shaken: Machine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Capture]:
    """One experiment through two kill -9 of the control plane, the second followed by ten seconds without one."""
    with Capture() as backend, Writer(shaken) as writer:
        candidate = {"pipeline": "process-topk-v1", "parameters": {"k": 5}, "backend": {"otlp": f"{backend.url}/c"}}
        load = {"profile": "high-cardinality", "count": 80, "busy": 4, "critical": 3}
        document = manifest(NAME, HOST, candidate, promotion="automatic", load=load)
        shaken.phoenix(
            "experiment", "create", "-f", written(tmp_path_factory.mktemp("story"), document), "--start", seconds=60
        )
        until("it runs", lambda: _state(shaken, NAME) == "running", 90)
        told = Story(writer.acknowledged)
        _scrapes(shaken, NAME, 3)
        shaken.kill("control-plane")
        told.restart_seconds.append(shaken.up())
        assert _state(shaken, NAME) == "running"
        _scrapes(shaken, NAME, 6)
        shaken.kill("control-plane")
        began = time.time()
        time.sleep(AWAY_S)
        told.restart_seconds.append(shaken.up())
        told.away = (began, time.time() - told.restart_seconds[-1])
        said = shaken.phoenix("experiment", "status", NAME, "--wait", "400", code=None, seconds=430)
        told.code = said.code
    told.result = shaken.phoenix.data("experiment", "compare", NAME)
    return told, backend


def _state(machine: Machine, name: str) -> str:
    return str(machine.get(f"/api/v1/experiments/{name}")["state"])


def _scrapes(machine: Machine, name: str, count: int) -> None:
    def enough() -> bool:
        found = machine.get(f"/api/v1/experiments/{name}/evaluation")
        return found is not None and found["evidence"]["scrapes"] >= count

    until(f"{count} scrapes are counted", enough, 60, every=0.3)


@pytest.mark.timeout(700)
@pytest.mark.acceptance(
    "crash",
    "kill -9 of the control plane twice during an experiment with writes under way; restarted on the same folder",
)
def test_an_experiment_survives_two_kills(shaken: Machine, story: tuple[Story, Capture], figure: Figure) -> None:
    told, _ = story
    assert told.code == 0, told.result["explanation"]
    assert (told.result["verdict"], told.result["state"]) == ("promote", "completed")
    kept = {token["id"] for token in shaken.phoenix.data("token", "list")}
    assert len(told.acknowledged) > 20
    assert set(told.acknowledged) <= kept, f"{len(set(told.acknowledged) - kept)} acknowledged writes are lost"
    states = [event["state"] for event in told.result["events"]]
    assert states == ["pending", "deploying", "warming_up", "running", "deciding", "promoting", "completed"]
    assert told.result["proofs"], "the promotion is read back from the collector"
    load = [one for one in shaken.phoenix.data("loadsim", "status") if NAME in one["name"]]
    assert [one["status"]["phase"] for one in load] == ["stopped"]
    seconds = ", ".join(f"{one:.1f}" for one in told.restart_seconds)
    figure(f"{len(told.acknowledged)} acknowledged writes, none lost; served again after {seconds} s; promoted")


@pytest.mark.acceptance(
    "away", "control plane away for 10 s while the host runs; counts held in the collector's queue, coverage judged"
)
def test_points_of_the_time_without_a_control_plane_are_delivered(story: tuple[Story, Capture], figure: Figure) -> None:
    told, backend = story
    (coverage,) = told.result["coverage"]
    assert coverage["share"] >= 0.9
    evidence = told.result["evidence"]
    opened = evidence["window"]["startNs"] / 1e9
    began, ended = told.away
    assert ended - began >= AWAY_S
    measured = [seconds for seconds in evidence["rows"]["seconds"] if began < opened + seconds < ended - 2]
    assert measured, "what was counted meanwhile came later"
    later = [seconds for seconds in evidence["rows"]["seconds"] if opened + seconds > ended]
    assert later, "and it went on"
    at_backend = {
        scrape.start for scrape in brute.scrapes_of(backend.resources("/c")) if began < scrape.end / 1e9 < ended
    }
    assert at_backend, "the user's backend never noticed"
    figure(
        f"{len(measured)} scrapes of the gap counted afterwards, {len(at_backend)} at the backend meanwhile; coverage "
        f"{coverage['received']} of {coverage['due']}"
    )


def test_one_folder_has_one_control_plane_and_a_taken_port_is_named(shaken: Machine) -> None:
    second = shaken.phoenix("up", "--port", "1", "--data-dir", str(shaken.data), code=1)
    assert "already runs" in second.err
    assert str(shaken.port) in second.err
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        other = str(shaken.folder / "other")
        taken = shaken.phoenix("up", "--port", str(port), "--data-dir", other, code=1)
        assert f"port {port}" in taken.err
        assert "--port" in taken.err
        shaken.phoenix("status", "--data-dir", other, code=1)
    assert shaken.phoenix.data("status", "--data-dir", str(shaken.data))["url"] == shaken.url


def test_down_and_status_and_up_again(shaken: Machine) -> None:
    folder = ("--data-dir", str(shaken.data))
    shaken.phoenix("down", *folder)
    shaken.ended("control-plane")
    assert "not running" in shaken.phoenix("status", *folder, code=1).out
    assert "nothing runs" in shaken.phoenix("down", *folder).err
    unreachable = shaken.phoenix("experiment", "list", code=1)
    assert "cannot be reached" in unreachable.err
    assert "phoenix up" in unreachable.err
    shaken.up()
    assert NAME in {one["name"] for one in shaken.phoenix.data("experiment", "list")}


@pytest.mark.acceptance(
    "host away", "host killed (kill -9) after two scrapes and back after the deadline; verdict and restoring judged"
)
def test_a_host_away_ends_as_insufficient_data(shaken: Machine, tmp_path: Path, figure: Figure) -> None:
    name = "loses-its-host"
    schedule = {"warmUp": "2s", "minDuration": "10s", "maxDuration": "25s", "evaluateEvery": "2s"}
    document = manifest(name, HOST, {"pipeline": "process-topk-v1"}, promotion="automatic", schedule=schedule)
    document["spec"]["critical"] = [{"name": "^python"}]
    before = shaken.phoenix.data("host", "show", HOST)["activeMarker"]
    shaken.phoenix("experiment", "create", "-f", written(tmp_path, document), "--start")
    until("it runs", lambda: _state(shaken, name) == "running", 60)
    _scrapes(shaken, name, 2)
    shaken.kill("host")
    began = time.monotonic()
    until("it is decided", lambda: shaken.get(f"/api/v1/experiments/{name}")["outcome"], 60)
    decided = time.monotonic() - began
    found = shaken.phoenix.data("experiment", "compare", name)
    assert found["verdict"] == "insufficient_data", found["explanation"]
    (coverage,) = found["coverage"]
    assert coverage["missing"] > 0
    assert coverage["gaps"]
    assert found["state"] == "rolling_back"
    shaken.phoenix("experiment", "promote", name, code=1)

    shaken.run_host()
    said = shaken.phoenix("experiment", "status", name, "--wait", "90", code=5, seconds=120)
    assert "insufficient" in said.out.lower()
    shown = shaken.phoenix.data("experiment", "show", name)
    assert shown["state"] == "rolled_back"
    states = [event["state"] for event in shown["events"]]
    assert not {"awaiting_promotion", "promoting", "completed"} & set(states)
    after = shaken.phoenix.data("host", "show", HOST)
    assert after["experiment"] == ""
    assert after["activeMarker"].rpartition(".")[0] == before.rpartition(".")[0]
    figure(
        f"{coverage['received']} of {coverage['due']} scrapes; insufficient_data {decided:.0f} s after the kill, "
        "previous configuration confirmed on return"
    )
