"""A replay's configuration is the assembly of a host but for the differences that its module names."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from chalicelib.settings import ROOT
from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.form import Header
from phoenix_cli.replay.clock import moved, reads_own_clock, unknown
from phoenix_cli.replay.configuration import MOVED, RECORDED, Addresses, replay_config
from tests.unit.recording.scrapes import scrape

CATALOG = FileCatalog(ROOT / "catalog")
CRITICAL = (CriticalPattern(id="db", name="^db$"),)
HELPER = "process.cpu.utilization"
HEADER = Header(host="h", interval_s=15, started_at=1, collector_started_ns=1, scraper_metrics=(HELPER,))
AT = Addresses(1001, 1002, "http://127.0.0.1:1003/s")
CHANGED = ("memory_limiter", "cumulativetodelta", "deltatocumulative")


def live(fragment: Fragment) -> dict[str, Any]:
    """What a host would get, with the same outputs."""
    request = AssemblyRequest(
        interval_s=15,
        critical=CRITICAL,
        arms=(AssemblyArm(variant=Variant.CANDIDATE, fragment=fragment, backend=Backend(otlp=f"{AT.sinks}/out0")),),
        kpi=Kpi(endpoint=f"{AT.sinks}/counts0", scope="replay-0", host="recorded"),
    )
    return assemble(request)


def plain(name: str) -> str:
    """The assembly's own name of a component."""
    kind, _, own = name.partition("/")
    own = own.removeprefix("p0").removeprefix(".")
    return f"{kind}/{own}" if own else kind


@pytest.mark.parametrize("name", CATALOG.names())
def test_processors_and_pipelines_are_those_of_a_host(name: str) -> None:
    fragment = render(CATALOG.get(name), {})
    made, wanted = replay_config([fragment], CRITICAL, HEADER, AT), live(fragment)
    processors = {plain(key): body for key, body in made["processors"].items()}
    extra = processors.pop("filter/recorded", None)
    assert (extra is None) == (HELPER in fragment.scraper_metrics), "dropped where the scraper would not have sent it"
    assert processors.keys() == wanted["processors"].keys()
    for key, body in processors.items():
        if key.partition("/")[0] not in CHANGED:
            assert body == wanted["processors"][key]
    for key, body in made["service"]["pipelines"].items():
        same = wanted["service"]["pipelines"][plain(key)]
        order = [plain(one) for one in body["processors"] if plain(one) != "filter/recorded"]
        assert order == same["processors"]
        assert [plain(one) for one in body["exporters"]] == same["exporters"]
    source = made["service"]["pipelines"]["metrics/p0.source"]
    assert source["receivers"] == [MOVED if reads_own_clock(fragment) else RECORDED]
    assert set(made["receivers"]) == set(source["receivers"])


def test_many_pipelines_share_nothing_but_receivers_and_count_the_raw_stream_once() -> None:
    fragments = [render(CATALOG.get(name), {}) for name in CATALOG.names()]
    made = replay_config(fragments, CRITICAL, HEADER, AT)
    assert set(made["receivers"]) == {RECORDED, MOVED}
    users: dict[str, int] = {}
    for pipeline, body in made["service"]["pipelines"].items():
        number = pipeline.partition("/")[2].partition(".")[0]
        for component in (*body["processors"], *body["exporters"]):
            assert component.partition("/")[2].partition(".")[0] == number
            users[component] = users.get(component, 0) + 1
    raw = [pipeline for pipeline in made["service"]["pipelines"] if pipeline.endswith("raw.kpi")]
    assert raw == ["metrics/p0.raw.kpi"]
    assert set(made["processors"]) <= set(users)


def test_a_pipeline_that_reads_what_was_not_recorded_is_refused_with_the_way_out() -> None:
    bare = HEADER.model_copy(update={"scraper_metrics": ()})
    with pytest.raises(InvalidInput, match=HELPER) as refused:
        replay_config([render(CATALOG.get("process-topk-v1"), {})], CRITICAL, bare, AT)
    assert f"--metric {HELPER}" in refused.value.hint


def of(statement: str, kind: str = "transform/x") -> Fragment:
    return Fragment(pipeline="own", version="1", processors={kind: {"statements": [statement]}}, order=(kind,))


def test_what_a_replay_cannot_know_is_said() -> None:
    assert any("wall clock" in one for one in unknown(of("set(x, Now())"), 10, 15))
    assert list(unknown(of("set(x, 1)"), 10_000, 15)) == []
    clocked = of("datapoint.time_unix_nano / 5", "cumulativetodelta/x")
    assert any("turns" in one for one in unknown(clocked, 10, 15))
    assert any("75s" in one for one in unknown(clocked, 76, 15))
    assert not any("75s" in one for one in unknown(clocked, 74, 15))


def test_catalog_pipelines_never_need_both_clocks() -> None:
    """Who compares with the collector's start reads no absolute time, so that moving times changes nothing else."""
    for name in CATALOG.names():
        assert list(unknown(render(CATALOG.get(name), {}), 10, 15)) == [], name


def test_times_move_together_and_the_original_stays() -> None:
    request = scrape("a", time_ns=10**18)
    later = moved(request, 5)
    (before,), (after,) = (
        one.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points for one in (request, later)
    )
    assert (before.time_unix_nano, after.time_unix_nano) == (10**18, 10**18 + 5)
    assert after.time_unix_nano - after.start_time_unix_nano == before.time_unix_nano - before.start_time_unix_nano


@pytest.mark.parametrize("by_ns", [-(2 * 10**18), 2**63])
def test_times_beyond_any_clock_are_refused(by_ns: int) -> None:
    with pytest.raises(RecordingUnusable, match="no clock"):
        moved(scrape("a", time_ns=10**18), by_ns)
