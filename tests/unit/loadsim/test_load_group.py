"""Groups of one's own: names that can harm nothing, and bounds on processes, CPU and memory that say what to do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.domain.load import LoadGroup, LoadSpec
from chalicelib.domain.load.group import MAX_SHARE, SPIKE, WORDS
from chalicelib.domain.load.scenarios import stages_of
from loadsim.population.groups import born, lifetime
from loadsim.population.process_spec import COMM_LENGTH, ProcessSpec
from loadsim.population.profiles import population_of
from loadsim.processes import patterns


def custom(**group: Any) -> LoadSpec:
    return LoadSpec.model_validate({"profile": "custom", "groups": [{"nameTemplate": "phx-job-{n}", **group}]})


def refusal(spec: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        LoadSpec.model_validate(spec)
    (only,) = caught.value.errors()
    return "/".join(str(part) for part in only["loc"]), only["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    "template",
    [
        "{n.__class__}",
        "phx-{n.__class__.__mro__}",
        "phx-{0}",
        "phx-{n!r}",
        "phx-{n:>9999999}",
        "phx-{{n}}",
        "phx-{n",
        "phx-n}",
        "phx-%s",
        "phx-$(reboot)",
        "phx-../../x",
        "phx-a b",
        "phx-a\0b",
        "phx-a\n",
        "phx-\x1b[2J",
        "phx-ü",
        "phx-",
        "phx-a-",
        "PHX-a",
        "nginx",
        "",
        "systemd",
        "phx-" + "a" * 100,
    ],
)
def test_a_hostile_template_is_refused_where_it_stands(template: str) -> None:
    where, _ = refusal({"profile": "custom", "groups": [{"nameTemplate": template}]})
    assert where == "groups/0/nameTemplate"


@pytest.mark.parametrize("template", ["phx-a", "phx-{n}", "phx-{word}-{code}", "phx-{code}{n}", "phx-x-{n}-y"])
def test_what_a_template_gives_is_a_name_that_the_kernel_keeps(template: str) -> None:
    specs = population_of(custom(nameTemplate=template, count=150, lifetime="10m"))
    longest = LoadGroup(name_template=template, count=150).longest_name
    for spec in specs:
        for life in range(3):
            name = born(spec, life).name
            assert len(name) <= longest <= COMM_LENGTH
            assert name.startswith("phx-")
            assert "{" not in name
            assert born(spec, life).argv[0] == f"/opt/phx/bin/{name}"


def test_every_process_of_a_slot_is_a_new_one_and_the_seed_says_which() -> None:
    (spec,) = population_of(custom(nameTemplate="phx-{code}", lifetime="10s"))
    lives = [born(spec, life) for life in range(5)]
    assert len({one.argv for one in lives}) == len({one.name for one in lives}) == 5
    assert lives == [born(spec, life) for life in range(5)]
    assert all(5.0 <= lifetime(spec, life) <= 15.0 for life in range(100))
    assert len({lifetime(spec, life) for life in range(100)}) == 100


@pytest.mark.parametrize(
    ("group", "where", "words"),
    [
        ({"nameTemplate": "phx-{word}-{word}"}, "groups/0", "names of up to 17 characters; the kernel keeps 15"),
        ({"nameTemplate": "phx-workers-{n}", "count": 1000}, "groups/0", "names of up to 16 characters"),
        ({"count": 0}, "groups/0/count", "greater than or equal to 1"),
        ({"cpuShare": "2%"}, "groups/0", "cpuShare: an idle process uses none; give a cpuPattern"),
        ({"cpuPattern": "spiky", "cpuShare": "21%"}, "groups/0", "cpuShare: 21% is more than 20%"),
        ({"cpuPattern": "steady", "cpuShare": "60%"}, "groups/0/cpuShare", "less than or equal to 0.5"),
        ({"cpuPattern": "steady", "count": 101}, "", "groups: they use 1.01 cores on average; at most 1"),
        ({"memory": "300MiB"}, "groups/0/memory", "less than or equal to"),
        ({"memory": "128MiB", "count": 9}, "", "they allocate 1152 MiB at their highest; at most 1024 MiB"),
        ({"memPattern": "wild"}, "groups/0/memPattern", "'steady', 'spiky', 'growing', 'random' or 'sine'"),
        ({"lifetime": "400ms"}, "groups/0/lifetime", "greater than or equal to 0.5"),
        ({"lifetime": "1s", "count": 51}, "", "starts: churn, lifetimes and restarts ask for 51.0 starts a second"),
        ({"command": "sh"}, "groups/0/command", "Extra inputs are not permitted"),
    ],
)
def test_what_is_out_of_bounds_is_named_with_what_to_do(group: dict[str, Any], where: str, words: str) -> None:
    found, said = refusal({"profile": "custom", "groups": [{"nameTemplate": "phx-a-{n}", **group}]})
    assert found == where
    assert words in said


def test_a_custom_load_is_its_groups_and_groups_come_beside_another_profile() -> None:
    alone = custom(count=7, critical=True)
    assert (alone.count, alone.busy, alone.critical) == (7, 0, 0)
    assert [spec.role for spec in population_of(alone)] == ["critical"] * 7
    beside = LoadSpec.model_validate({"profile": "realistic", "groups": [{"nameTemplate": "phx-a", "count": 9}]})
    assert beside.count == 120 + 9
    specs = population_of(beside)
    assert len(specs) == len({spec.slot for spec in specs}) == 129
    assert [spec.name for spec in specs[-9:]] == ["phx-a"] * 9
    assert specs[:-9] == population_of(LoadSpec.model_validate({"profile": "realistic"}))


def test_a_custom_load_without_groups_or_with_another_count_is_refused() -> None:
    assert refusal({"profile": "custom"})[1].startswith("groups: profile custom needs at least one")
    group = {"nameTemplate": "phx-a", "count": 3}
    assert "leave count out" in refusal({"profile": "custom", "count": 4, "groups": [group]})[1]


def test_only_an_idle_process_without_a_lifetime_is_restarted() -> None:
    groups = [
        {"nameTemplate": "phx-idle"},
        {"nameTemplate": "phx-lived", "lifetime": "1m"},
        {"nameTemplate": "phx-busy", "cpuPattern": "sine"},
        {"nameTemplate": "phx-kept", "critical": True},
    ]
    spec = LoadSpec.model_validate({"profile": "custom", "groups": groups, "restartsPerMinute": 6})
    assert [one.name for one in population_of(spec) if one.restarts] == ["phx-idle"]
    assert "none is left" in refusal({"profile": "custom", "groups": groups[1:], "restartsPerMinute": 6})[1]


def test_the_domain_and_the_process_mean_the_same_spike() -> None:
    assert patterns.SPIKE == SPIKE == MAX_SHARE["spiky"]
    assert max(map(len, WORDS)) == 6


def _member(**group: Any) -> ProcessSpec:
    return population_of(custom(**group))[0]


def test_a_group_s_wishes_reach_its_processes() -> None:
    spec = _member(cpuPattern="growing", cpuShare="4%", memPattern="random", memory="1MiB", period="30s")
    assert (spec.cpu.kind, spec.cpu.share, spec.cpu.period_s) == ("growing", 0.04, 30)
    assert (spec.memory.kind, spec.memory.period_s, spec.memory_bytes) == ("random", 30, 1024**2)
    assert (spec.role, spec.life) == ("busy", None)
    assert [stage.name for stage in stages_of(custom())] == ["only"]
