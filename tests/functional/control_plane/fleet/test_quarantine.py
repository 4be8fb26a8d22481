"""A configuration that failed on a host is not offered again until the operator says so; every attempt stays shown."""

from __future__ import annotations

from tests.functional.control_plane.world import OPERATOR, VIEWER, World, manifest

WORDS = "error decoding 'processors': no such thing"


def refused(world: World) -> str:
    """An experiment that the host refuses; the content hash of what it refused."""
    host = world.host("h1")
    host.behaviour.refuses = lambda config: WORDS if "metrics/candidate" in config["service"]["pipelines"] else ""
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("rolled_back")
    (failure,) = world.get("/api/v1/hosts/h1")["quarantine"]
    assert failure["error"] == WORDS
    host.behaviour.refuses = lambda config: ""
    return str(failure["contentHash"])


def test_it_is_offered_again_after_its_release_and_not_before(world: World) -> None:
    content = refused(world)
    answer = world.send("POST", "/api/v1/experiments?start=true", manifest(["h1"], name="again"))
    assert answer.status == 409
    assert f"phoenix host quarantine release h1 {content[:12]}" in answer.json["hint"]
    release = "/api/v1/hosts/h1/quarantine/release"
    assert world.send("POST", release, {"contentHash": content[:12]}, token=VIEWER).status == 403
    freed = world.post(release, {"contentHash": content[:12]})
    assert (freed["contentHash"], freed["error"]) == (content, WORDS)
    assert world.get("/api/v1/hosts/h1")["quarantine"] == []
    world.post("/api/v1/experiments?start=true", manifest(["h1"], name="again"))
    world.until_state("running", name="again")


def test_every_attempt_stays_visible_with_its_words(world: World) -> None:
    content = refused(world)
    world.post("/api/v1/hosts/h1/quarantine/release", {"contentHash": content})
    world.post("/api/v1/experiments?start=true", manifest(["h1"], name="again"))
    world.until_state("running", name="again")
    found = world.get("/api/v1/hosts/h1/attempts")["items"]
    told = [(one["action"], one["detail"]["content_hash"] == content, one["actor"]) for one in found]
    assert told[0] == ("config failed", True, "host:h1")
    assert ("config released", True, OPERATOR) in told
    assert told[-1] == ("config confirmed", True, "host:h1")
    assert WORDS in str(found[0]["detail"])
    world.chain("host:h1")


def test_a_release_says_what_is_wrong_with_it(world: World) -> None:
    content = refused(world)
    release = "/api/v1/hosts/h1/quarantine/release"
    assert world.send("POST", release, {"contentHash": "0" * 64}).status == 404
    assert world.send("POST", "/api/v1/hosts/nobody/quarantine/release", {"contentHash": content}).status == 404
    assert world.send("GET", "/api/v1/hosts/nobody/attempts", token=VIEWER).status == 404
    for wrong in ({"contentHash": content[:7]}, {"contentHash": "x" * 12}, {"contentHash": content, "more": 1}, {}):
        assert world.send("POST", release, wrong).status == 400
    assert len(world.get("/api/v1/hosts/h1")["quarantine"]) == 1
