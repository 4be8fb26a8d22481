"""What hosts send, sound and unsound: garbage never makes a 500, nothing is counted twice, sessions are found again."""

from __future__ import annotations

import gzip
import json
import random

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry._opamp.proto import opamp_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from tests.functional.control_plane.fake_host import PROTOBUF, FakeHost
from tests.functional.control_plane.wire import Stream, counts
from tests.functional.control_plane.world import World, deployment, manifest

PATHS = ("/v1/opamp", "/v1/metrics")
GARBAGE = [b"garbage", b"\xff" * 50, b"\x1f\x8bgarbage", gzip.compress(b"garbage")[:-4], b"{", bytes(range(256))]


@pytest.fixture
def host(world: World) -> FakeHost:
    return world.host("h1")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [PROTOBUF, "application/json", "application/octet-stream", None])
@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_is_400_with_the_way_out(
    world: World, host: FakeHost, path: str, content_type: str | None, body: bytes
) -> None:
    answer = world.send("POST", path, raw=body, content_type=content_type, token=host.token)
    assert (answer.status, answer.json["code"]) == (400, "PHX-INVALID")
    assert answer.json["hint"]


def test_whatever_bytes_come_the_server_makes_no_mistake(world: World, host: FakeHost) -> None:
    sound = {"/v1/opamp": host.message(full=True), "/v1/metrics": _scrape(world, "h1", 7000)}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(PATHS), st.randoms(use_true_random=False), st.binary(max_size=40))
    def attack(path: str, chance: random.Random, noise: bytes) -> None:
        body = bytearray(sound[path])
        place = chance.randrange(len(body))
        body[place : place + len(noise) // 2] = noise
        answer = world.send("POST", path, raw=bytes(body), content_type=PROTOBUF, token=host.token)
        assert answer.status in (200, 400, 403), answer.body

    attack()


def _scrape(world: World, host: str, series: int, variant: str = "raw") -> bytes:
    identity = {"phoenix.scope": "s", "phoenix.host": host, "phoenix.config": "m.1"}
    return counts(identity, [Stream(variant, series)], world.clock.now()).SerializeToString()


@pytest.mark.parametrize("path", PATHS)
def test_the_body_limit_is_four_mebibytes_and_a_gzip_bomb_stops_there(world: World, host: FakeHost, path: str) -> None:
    limit = 4 * 1024 * 1024
    for body in (b"\0" * (limit + 1), gzip.compress(b"\0" * (limit + 1)), gzip.compress(b"\0" * 200_000_000, 9)):
        answer = world.send("POST", path, raw=body, content_type=PROTOBUF, token=host.token)
        assert (answer.status, answer.json["code"]) == (413, "PHX-TOO-LARGE")
        assert answer.headers["content-type"] == "application/problem+json"
    assert world.send("POST", path, raw=b"\0" * limit, content_type=PROTOBUF, token=host.token).status == 400


def test_formats(world: World, host: FakeHost) -> None:
    body = _scrape(world, "h1", 7)
    as_json = json_format.MessageToJson(metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)).encode()
    for raw, content_type in ((body, PROTOBUF), (gzip.compress(body), PROTOBUF), (as_json, "application/json")):
        answer = world.send("POST", "/v1/metrics", raw=raw, content_type=content_type, token=host.token)
        assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    refused = world.send("POST", "/v1/metrics", raw=body, content_type="text/plain", token=host.token)
    assert (refused.status, refused.json["code"]) == (415, "PHX-MEDIA-TYPE")
    assert PROTOBUF in refused.json["hint"]
    said = gzip.compress(host.message(full=True))
    assert world.send("POST", "/v1/opamp", raw=said, content_type=PROTOBUF, token=host.token).status == 200
    refused = world.send("POST", "/api/v1/experiments", raw=b"a=b", content_type="application/x-www-form-urlencoded")
    assert (refused.status, refused.json["code"]) == (415, "PHX-MEDIA-TYPE")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"[]", b"null", b'{"k":NaN}']
)
def test_a_body_that_is_no_json_object_is_400(world: World, body: bytes) -> None:
    answer = world.send("POST", "/api/v1/experiments", raw=body, content_type="application/json")
    assert (answer.status, answer.json["code"]) == (400, "PHX-INVALID")


@pytest.mark.parametrize("depth", [65, 300, 900])
def test_a_configuration_nested_without_sense_is_400(world: World, depth: int) -> None:
    config: dict[str, object] = {}
    for _ in range(depth):
        config = {"a": config}
    answer = world.send("POST", "/api/v1/validations", {"config": config})
    assert (answer.status, "deeper than 64" in answer.json["detail"]) == (400, True)


@pytest.mark.parametrize(
    "name",
    [
        "%00",
        "a%20b",
        "%2F..%2F",
        "..%2f..",
        "%F0%9F%92%A9",
        "%",
        "a'b",
        "a" * 129,
        "a" * 9000,
        "<script>",
        "{experiment}",
    ],
)
def test_odd_names_in_a_path_are_400_or_404_and_never_more(world: World, name: str) -> None:
    for path in (f"/api/v1/experiments/{name}", f"/api/v1/hosts/{name}", f"/api/v1/deployments/{name}/active-config"):
        answer = world.send("GET", path, token="viewer")
        assert answer.status in (400, 404)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "<script>" not in answer.json["detail"]


@pytest.mark.parametrize(("method", "target", "status"), [("GET", "/nope", 404), ("PUT", "/api/v1/experiments", 405)])
def test_unknown_routes_and_methods_are_told_where_to_look(world: World, method: str, target: str, status: int) -> None:
    answer = world.send(method, target, token="admin")
    assert (answer.status, answer.json["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "openapi.json" in answer.json["hint"]


def test_an_unknown_supervisor_is_asked_for_all_it_knows(world: World, host: FakeHost) -> None:
    message = opamp_pb2.AgentToServer(instance_uid=b"\x07" * 16, sequence_num=9, capabilities=0x1807)
    answer = world.send("POST", "/v1/opamp", raw=message.SerializeToString(), content_type=PROTOBUF, token=host.token)
    reply = opamp_pb2.ServerToAgent.FromString(answer.body)
    assert reply.flags == opamp_pb2.ServerToAgentFlags_ReportFullState
    assert reply.instance_uid == b"\x07" * 16


def test_a_gap_in_the_numbers_is_noticed_and_filled(world: World, host: FakeHost) -> None:
    host.message()  # lost on the way
    host.poll(world.clock.now())
    assert host.answers[-1].flags == opamp_pb2.ServerToAgentFlags_ReportFullState
    host.poll(world.clock.now())
    assert host.answers[-1].flags == 0


def test_a_replayed_message_has_its_effect_once(world: World, host: FakeHost) -> None:
    world.post("/api/v1/deployments", deployment("base", ["h1"], "process-baseline-v1"))
    host.poll(world.clock.now())
    confirmation = host.message()
    for _ in range(3):
        host.deliver(confirmation, world.clock.now())
    confirmed = [one for one in world.chain("host:h1") if one.action == "config confirmed"]
    assert len(confirmed) == 1
    world.control_plane.tick()
    assert world.get("/api/v1/deployments/base")["status"]["h1"]["status"] == "active"


def test_the_active_configuration_holds_no_secret(world: World, host: FakeHost) -> None:
    world.deployed(host)
    shown = json.dumps(world.get("/api/v1/deployments/base/active-config"))
    assert host.token not in shown
    assert "${env:PHOENIX_TOKEN}" in shown
    assert host.token not in json.dumps(world.get("/api/v1/hosts"))


def test_an_effective_configuration_beyond_all_measure_does_not_stop_a_host(world: World, host: FakeHost) -> None:
    world.deployed(host)
    host._resolved += b"".join(b"key%d: %s\n" % (i, b"x" * 900) for i in range(600))
    host.poll(world.clock.now(), full=True)
    (shown,) = world.get("/api/v1/deployments/base/active-config")["items"]
    assert (shown["config"], shown["marker"]) == ({}, shown["expected"])
    assert "too large to keep" in shown["omitted"]


def test_a_scrape_with_very_many_critical_processes_is_kept_whole(world: World, host: FakeHost) -> None:
    critical = tuple((f"pattern-{i % 50}", f"a-rather-long-process-name-{i:05d}", i) for i in range(1900))
    identity = {"phoenix.scope": "s", "phoenix.host": "h1", "phoenix.config": "m.1"}
    streams = [Stream(variant, 9000, critical) for variant in ("raw", "baseline", "candidate")]
    body = counts(identity, streams, world.clock.now()).SerializeToString()
    assert [host.send(body).status for _ in range(2)] == [200, 200]
    found, _ = world.control_plane.services.ingest._context.records.measurements.read("default", "s", "h1")
    assert {one.variant.value: len(one.critical) for one in found} == dict.fromkeys(
        ("raw", "baseline", "candidate"), 1900
    )
    assert len(found) == 3


def test_doubled_and_disordered_measurements_change_nothing(world: World) -> None:
    """Two hosts live the same life; what the second sends arrives late, twice and in any order."""
    evaluations = {}
    for name in ("orderly", "messy"):
        host = world.host("h1")
        if name == "messy":
            host.send = _shuffled(host)  # type: ignore[method-assign]
        world.post("/api/v1/experiments?start=true", manifest(["h1"], name))
        world.until_state("awaiting_promotion", name=name)
        evaluations[name] = world.get(f"/api/v1/experiments/{name}/evaluation")
        world.post(f"/api/v1/experiments/{name}/stop")
        world.until_state("stopped", name=name)
        assert world.send("DELETE", "/api/v1/hosts/h1").status == 204
    for part in ("series", "reduction", "critical", "verdict", "reason"):
        first, second = (json.dumps(one[part]) for one in evaluations.values())
        assert _timeless(first) == _timeless(second), part


def _shuffled(host: FakeHost):  # type: ignore[no-untyped-def]
    chance, held, send = random.Random(7), [], host.send

    def later(body: bytes):  # type: ignore[no-untyped-def]
        held.extend([body, body])
        chance.shuffle(held)
        while len(held) > 6:
            send(held.pop())
        return send(body)

    return later


def _timeless(text: str) -> str:
    return json.dumps({k: v for k, v in json.loads(text).items() if k != "lastNs"}) if text.startswith("{") else text
