"""Curves of CPU and memory, rates, and the room on a host: small pure parts of the generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadsim.processes.headroom import Room, refusal, room
from loadsim.processes.patterns import REST, cpu_share, memory_level, uniform
from loadsim.rates import RateMeter

KINDS = ["steady", "spiky", "growing", "random", "sine"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_share_is_what_was_asked_and_the_peak_at_most_five_times_it(kind: str) -> None:
    share = cpu_share(kind, 0.1, 20.0, 7)
    seen = [share(t / 10) for t in range(200 * 100)]
    assert sum(seen) / len(seen) == pytest.approx(0.1, rel=0.05)
    assert 0 <= min(seen) <= max(seen) <= 0.5 + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_never_over_its_highest_and_reaches_it(kind: str) -> None:
    level = memory_level(kind, 20.0, 7)
    seen = [level(t / 10) for t in range(200 * 20)]
    assert REST - 1e-9 <= min(seen) <= max(seen) <= 1.0
    assert max(seen) > 0.95
    assert kind == "steady" or min(seen) < 0.2


def test_growing_rises_through_each_period_and_begins_anew() -> None:
    level = memory_level("growing", 20.0, 0)
    assert [round(level(t), 2) for t in (0, 10, 19.99, 20, 30)] == [0.1, 0.55, 1.0, 0.1, 0.55]


def test_random_levels_are_the_seed_s() -> None:
    once, again, other = ([uniform(seed, step) for step in range(50)] for seed in (1, 1, 2))
    assert once == again != other
    assert len(set(once)) == 50


def test_rates_are_said_only_after_a_while_and_only_of_the_last_half_minute() -> None:
    meter = RateMeter()
    assert meter.rates(5) is None
    for second in range(4):
        meter.note(second, 5 * second, 5 * second)
    assert meter.rates(5) is None
    for second in range(4, 101):
        meter.note(second, 5 * second, 4 * second)
    found = meter.rates(5)
    assert found
    assert (found.asked, found.starts, found.ends, found.seconds) == (5, 5, 4, 30)
    meter.reset()
    assert meter.rates(5) is None


def test_a_load_that_the_host_has_no_room_for_is_refused_with_numbers() -> None:
    mib = 1024**2
    assert refusal(300, 100 * mib, Room(None, None)) == ""
    assert refusal(300, 100 * mib, Room(1000 * mib, 1000)) == ""
    assert "300 processes asked; the host's limit leaves 200: lower count" in refusal(300, 0, Room(None, 200))
    assert "about 305 MiB asked (300 processes); 300 MiB are free" in refusal(300, 100 * mib, Room(300 * mib, None))


def test_room_is_the_least_that_the_kernel_and_the_control_groups_leave(tmp_path: Path) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    own = cgroups / "pods" / "one"
    (proc / "self").mkdir(parents=True)
    own.mkdir(parents=True)
    assert room(proc, cgroups) == Room(None, None)
    (proc / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 2000 kB\n")
    (proc / "self" / "cgroup").write_text("0::/pods/one\n")
    assert room(proc, cgroups) == Room(2000 * 1024, None)
    for folder, memory, pids in ((own, "max", "100"), (own.parent, "1000000", "max")):
        (folder / "memory.max").write_text(f"{memory}\n")
        (folder / "memory.current").write_text("400000\n")
        (folder / "pids.max").write_text(f"{pids}\n")
        (folder / "pids.current").write_text("10\n")
    assert room(proc, cgroups) == Room(600000, 90)


def test_room_is_found_where_control_groups_are_of_the_first_version(tmp_path: Path) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    memory, pids = cgroups / "memory" / "one", cgroups / "pids" / "one"
    for folder in (proc / "self", memory, pids):
        folder.mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("9:memory:/one\n3:pids:/one\n1:name=systemd:/one\n0::/\n")
    (memory / "memory.limit_in_bytes").write_text("1000\n")
    (memory / "memory.usage_in_bytes").write_text("400\n")
    (memory.parent / "memory.limit_in_bytes").write_text(f"{2**63 - 4096}\n")
    (memory.parent / "memory.usage_in_bytes").write_text("900\n")
    (pids / "pids.max").write_text("50\n")
    (pids / "pids.current").write_text("1\n")
    assert room(proc, cgroups) == Room(600, 49)


def test_in_a_pod_the_path_is_the_node_s_and_the_files_are_the_pod_s(tmp_path: Path) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    for folder in (proc / "self", cgroups / "memory"):
        folder.mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("9:memory:/kubepods/pod1/two\n0::/\n")
    (cgroups / "memory" / "memory.limit_in_bytes").write_text("1000\n")
    (cgroups / "memory" / "memory.usage_in_bytes").write_text("400\n")
    assert room(proc, cgroups) == Room(600, None)
