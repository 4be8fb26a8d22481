"""An experiment of a thousand hosts, from its creation to its promotion, on both engines.

Orders, steps and answers are the control plane's own; the hosts are written into the store as their messages leave
them, because a thousand hosts that speak would be what the test measures.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.instruments.filling import Filling
from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.access import DEFAULT_TENANT as TENANT
from chalicelib.domain.host import Host
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from chalicelib.ports.items import ItemStore, Put, Table
from chalicelib.repositories.measurements import Measurements
from chalicelib.repositories.records import AgentRecord, Records
from tests.engines import dynoxide
from tests.fakes.clock import SettableClock
from tests.functional.control_plane.world import World, manifest

HOSTS = tuple(f"a-host-with-a-name-{i:04d}" for i in range(1000))
INTERVAL = 15
ENGINES = ["sqlite", "dynamodb"] if os.environ.get("PHOENIX_LONG_TESTS") else ["sqlite"]
"""A promotion on the second engine takes as long again, and asks the same of it as the other test does."""
NGINX = tuple(CriticalProcess(pattern="nginx", name="nginx", pid=pid) for pid in (11, 12))
SERIES = {Variant.RAW: 7000, Variant.BASELINE: 7000, Variant.CANDIDATE: 600}
SCHEDULE = {"warmUp": "15s", "minDuration": "4m", "maxDuration": "10m", "evaluateEvery": "2m"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On a DynamoDB-compatible engine."""
    with contextlib.closing(World(tmp_path)) as made:
        yield from _on("dynamodb", made)


@pytest.fixture(params=ENGINES)
def promoting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """On SQLite; in the long run on both."""
    with contextlib.closing(World(tmp_path)) as made:
        yield from _on(request.param, made)


def _on(engine: str, made: World) -> Iterator[World]:
    if engine == "sqlite":
        tmp_path = made.settings.data_dir
        assert tmp_path is not None
        made.remains = SqliteItemStore(tmp_path / "phoenix.sqlite", made.clock.now)
        made.start(made.remains)
        yield made
    else:
        with dynoxide.running(dynoxide.resolve(os.environ)) as server:
            made.remains = _dynamo(server.endpoint, made.clock, made)
            made.start(made.remains)
            yield made


def _dynamo(endpoint: str, clock: SettableClock, world: World) -> DynamoItemStore:
    store = DynamoItemStore(clock.now, endpoint=endpoint)
    store.create_tables()
    tokens = Records(SqliteItemStore(world.settings.data_dir / "phoenix.sqlite", clock.now))  # type: ignore[operator]
    for token in tokens.tokens.all(TENANT):
        Records(store).tokens.create(TENANT, token.value)
    for token in tokens.token_digests.all("-"):
        Records(store).token_digests.create("-", token.value)
    return store


class Fleet:
    """A thousand hosts in a store."""

    def __init__(self, store: ItemStore, clock: SettableClock) -> None:
        self.store, self.records, self.clock = store, Records(store), clock
        self._number = 0

    def enrol(self) -> None:
        """Let them in."""
        hosts = [Host(name=name, labels={"big": "yes"}, enrolled_at=0, enrolled_by="t", token_id="t") for name in HOSTS]
        self._write([self.records.hosts.write(TENANT, host, 0) for host in hosts])

    def confirm(self) -> None:
        """Every collector runs what it is to run, and proves it."""
        now, puts = self.clock.now(), []
        for stored in list(self.records.agents.all(TENANT)):
            state = stored.value.state
            assert state.desired is not None
            done = state.desired.model_copy(update={"confirmed_at": now})
            seen = {"desired": done, "confirmed": done, "connected": True, "last_seen": now}
            record = AgentRecord(host=stored.value.host, state=state.model_copy(update=seen))
            puts.append(self.records.agents.write(TENANT, record, stored.version))
        assert len(puts) == len(HOSTS)
        self._write(puts)

    def measure(self, uid: str, marker: dict[str, str], first: int, end: int, opened: float) -> None:
        """Scrapes number first to end of every host."""
        filling = Filling(self.store)
        measurements = Measurements(filling)  # type: ignore[arg-type]
        for host in HOSTS:
            # As many scrapes as one item takes: what the number of items means is measured elsewhere.
            for start in range(first, end, 4):
                times = [round((opened + 5 + i * INTERVAL) * 1e9) for i in range(start, min(end, start + 4))]
                counts = [
                    Count(
                        scope=uid,
                        host=host,
                        variant=variant,
                        start_ns=at,
                        end_ns=at,
                        series=series + at % 7,
                        critical=NGINX,
                        marker=marker[host],
                    )
                    for at in times
                    for variant, series in SERIES.items()
                ]
                measurements.add(TENANT, uid, host, counts, (), times[-1] / 1e9)
        filling.flush()

    def _write(self, puts: list[Put]) -> None:
        filling = Filling(self.store)
        for put in puts:
            filling.put(put.item, put.expected)
        filling.flush()


def started(world: World) -> tuple[Fleet, str, dict[str, str], float]:
    """From the creation to the opening of the window: hosts, uid, each host's marker, the moment of the opening."""
    assert world.remains is not None
    fleet = Fleet(world.remains, world.clock)
    fleet.enrol()
    tick = world.control_plane.tick
    targets = {"selector": {"matchLabels": {"big": "yes"}}}
    spec = manifest([], targets=targets, interval=f"{INTERVAL}s", schedule=SCHEDULE)
    made = world.post("/api/v1/experiments?start=true", spec)["experiment"]
    assert len(made["configs"]) == len(set(made["configs"].values())) == 1000
    busy = world.send("POST", "/api/v1/experiments", manifest([HOSTS[7], HOSTS[999]], name="other"))
    assert busy.status == 409
    assert all(host in busy.json["detail"] for host in (HOSTS[7], HOSTS[999]))

    tick()
    fleet.confirm()
    world.clock.advance(1)
    tick()
    world.clock.advance(16)
    tick()
    running = world.experiment()
    assert running["state"] == "running"
    marker = {proof["host"]: proof["marker"] for proof in running["proofs"]}

    opened = running["windowStart"]
    return fleet, made["uid"], marker, opened


def test_a_thousand_hosts_are_compared_and_stopped(world: World) -> None:
    fleet, uid, marker, opened = started(world)
    fleet.measure(uid, marker, 0, 4, opened)
    world.clock.advance(opened + 125 - world.clock.now())
    world.control_plane.tick()
    early = world.get("/api/v1/experiments/web/evaluation")
    assert (early["verdict"], early["evidence"]["scrapes"], len(early["evidence"]["hosts"])) == (None, 4, 1000)
    world.post("/api/v1/experiments/web/stop")
    world.control_plane.tick()
    fleet.confirm()
    world.control_plane.tick()
    done = world.experiment()
    assert (done["state"], len(done["proofs"])) == ("stopped", 1000), done["message"]
    assert world.claimed(HOSTS[500]) == ""


def test_a_thousand_hosts_are_compared_and_promoted(promoting: World) -> None:
    world = promoting
    tick = world.control_plane.tick
    fleet, uid, marker, opened = started(world)
    fleet.measure(uid, marker, 0, 18, opened)
    world.clock.advance(opened + 275 - world.clock.now())
    tick()
    found = world.get("/api/v1/experiments/web/evaluation")
    assert (found["verdict"], found["reason"], found["evidence"]["scrapes"]) == ("promote", "target_reached", 18)
    assert {host["scrapes"] for host in found["evidence"]["hosts"]} == {18}
    assert world.experiment()["state"] == "awaiting_promotion"

    world.post("/api/v1/experiments/web/promote")
    tick()
    fleet.confirm()
    tick()
    done = world.experiment()
    assert (done["state"], len(done["proofs"])) == ("completed", 1000), done["message"]
    shown = world.get("/api/v1/deployments/web")
    assert {one["status"] for one in shown["status"].values()} == {"active"}
    assert (len(shown["status"]), [v["note"] for v in shown["versions"]]) == (
        1000,
        ["baseline of experiment web", "promoted by experiment web"],
    )
    assert world.claimed(HOSTS[500]) == ""
    assert [record.action for record in world.chain(f"experiment:{uid}")] == [
        "create",
        "deploying",
        "warming_up",
        "running",
        "deciding",
        "awaiting_promotion",
        "promote",
        "completed",
    ]
    assert world.send("DELETE", "/api/v1/experiments/web").status == 204
    assert world.remains is not None
    assert not world.remains.query(Table.STATE, f"T#{TENANT}#EXPERIMENT-PART#web").items
