"""A load is real processes with names of their own, kept as asked, and gone with whatever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.domain.load import LoadPhase, LoadSpec
from loadsim.population.profiles import population_of
from loadsim.processes.marker import marked
from loadsim.processes.orders import Incoming, framed
from tests.functional.loadsim.started import PATIENCE_S, ROOT, WATCHDOG_S, Load, comm, command_line, eventually

Start = Callable[..., Load]


def cpu_seconds(pid: int) -> float:
    """CPU time that the scheduler has given to a process, to the nanosecond (first field of schedstat)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def resident_kib(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_three_hundred_processes_are_what_the_profile_says(start_load: Start) -> None:
    load = start_load(count=300, busy=20, critical=5, restartsPerMinute=0)
    status = load.running()
    assert (status.running, status.spawned, status.restarts) == (300, 300, 0)
    specs = population_of(LoadSpec(count=300, busy=20, critical=5, restarts_per_minute=0))
    pids = load.pids()
    assert sorted((comm(pid), command_line(pid)) for pid in pids) == sorted((spec.name, spec.argv) for spec in specs)
    assert len({comm(pid) for pid in pids}) == 300
    assert status.names[:5] == tuple(f"phx-crit-{number:02d}" for number in range(1, 6))
    # Processes, not threads: each pid is its own thread group with exactly one thread.
    assert all(os.listdir(f"/proc/{pid}/task") == [str(pid)] for pid in pids)
    critical = [resident_kib(pid) for pid in pids if comm(pid).startswith("phx-crit-")]
    assert max(critical) < min(resident_kib(pid) for pid in pids if not comm(pid).startswith("phx-crit-"))


def test_the_busy_ones_use_cpu_and_the_others_none(start_load: Start) -> None:
    load = start_load(count=40, busy=2, critical=2, restartsPerMinute=0, seed=4)
    load.running()
    specs = population_of(LoadSpec(count=40, busy=2, critical=2, restarts_per_minute=0, seed=4))
    by_name = {comm(pid): pid for pid in load.pids()}
    start = {name: cpu_seconds(pid) for name, pid in by_name.items()}
    first, second = by_name[specs[2].name], by_name[specs[3].name]
    # Shares are 2.4 % and 0.6 %: the first has used 0.1 s after about 4 s.
    eventually("the busiest has worked", lambda: cpu_seconds(first) - start[specs[2].name] > 0.1)
    used = {name: cpu_seconds(pid) - start[name] for name, pid in by_name.items()}
    assert used[specs[2].name] > 2 * used[specs[3].name] > 0
    assert cpu_seconds(second) > start[specs[3].name]
    assert all(used[spec.name] == 0 for spec in specs if spec.role == "critical")
    assert sum(used[spec.name] for spec in specs if spec.role == "idle") < 0.01


@pytest.mark.parametrize("profile", ["high-cardinality", "realistic"])
def test_some_restart_and_critical_and_busy_ones_do_not(start_load: Start, profile: str) -> None:
    load = start_load(profile=profile, count=20, busy=2, critical=3, restartsPerMinute=600)
    load.running()
    before = {pid: command_line(pid) for pid in load.pids()}
    already = load.running().restarts
    specs = population_of(LoadSpec.model_validate({"profile": profile, "count": 20, "busy": 2, "critical": 3}))
    steady = {spec.argv for spec in specs if not spec.restarts}
    status = eventually("restarts", lambda: (s := load.status()) and s.restarts >= already + 15 and s)
    assert status.spawned >= 20 + status.restarts
    assert status.running <= 20
    after = load.pids()
    assert len(after) <= 20
    kept = [pid for pid in after if pid in before]
    assert steady <= {before[pid] for pid in kept}
    assert len(kept) < 20


def test_a_process_that_somebody_kills_comes_back(start_load: Start) -> None:
    load = start_load(count=5, busy=0, critical=5, restartsPerMinute=0)
    load.running()
    (victim,) = [pid for pid in load.pids() if comm(pid) == "phx-crit-03"]
    os.kill(victim, signal.SIGKILL)

    def back() -> bool:
        names = {comm(pid): pid for pid in load.pids()}
        return len(names) == 5 and names.get("phx-crit-03", victim) != victim

    eventually("phx-crit-03 is back", back)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_asked_to_stop_it_leaves_none_and_says_so(start_load: Start, number: int, code: int) -> None:
    load = start_load(count=50, restartsPerMinute=60)
    load.running()
    load.process.send_signal(number)
    assert load.process.wait(PATIENCE_S) == code
    assert load.left() == {}
    status = load.status()
    assert status is not None
    assert (status.phase, status.running) == (LoadPhase.STOPPED, 0)
    assert signal.Signals(number).name in status.reason
    assert status.ended_at is not None


def test_asked_to_stop_while_starting_it_leaves_none(start_load: Start) -> None:
    load = start_load(count=300)
    eventually("some have started", lambda: len(load.left()) > 10)
    load.process.send_signal(signal.SIGTERM)
    assert load.process.wait(PATIENCE_S) == 0
    assert load.left() == {}


def test_its_own_duration_ends_it(start_load: Start) -> None:
    load = start_load(count=5, durationS=600, duration=2.0)
    assert load.process.wait(PATIENCE_S) == 0
    assert load.left() == {}
    status = load.status()
    assert status is not None
    assert (status.phase, status.reason) == (LoadPhase.STOPPED, "duration reached")


@pytest.mark.parametrize("stopped_children", [False, True])
def test_kill_9_of_the_generator_leaves_none(start_load: Start, stopped_children: bool) -> None:
    load = start_load(count=100, busy=10, restartsPerMinute=600)
    load.running()
    if stopped_children:
        for pid in load.pids():
            os.kill(pid, signal.SIGSTOP)
    load.process.kill()
    load.process.wait(PATIENCE_S)
    eventually("no process is left", lambda: not load.left(), within=WATCHDOG_S)


def test_kill_9_of_the_spawner_leaves_none_and_the_run_says_failed(start_load: Start) -> None:
    load = start_load(count=100, busy=10)
    load.running()
    os.kill(load.spawner(), signal.SIGKILL)
    eventually("no process is left", lambda: not load.left(), within=WATCHDOG_S)
    assert load.process.wait(PATIENCE_S) == 1
    status = load.status()
    assert status is not None
    assert (status.phase, status.running) == (LoadPhase.FAILED, 0)
    assert status.reason == "the spawner ended unexpectedly (signal 9)"


def test_kill_9_of_both_at_once_leaves_none(start_load: Start) -> None:
    load = start_load(count=100, busy=10)
    load.running()
    spawner = load.spawner()
    os.kill(load.process.pid, signal.SIGSTOP)  # a generator that can do nothing any more
    os.kill(spawner, signal.SIGKILL)
    eventually("no process is left", lambda: not load.left().keys() - {spawner}, within=WATCHDOG_S)


def test_kill_9_in_the_middle_of_the_start_leaves_none(start_load: Start) -> None:
    load = start_load(count=300)
    eventually("some have started", lambda: len(load.left()) > 10)
    load.process.kill()
    load.process.wait(PATIENCE_S)
    eventually("no process is left", lambda: not load.left(), within=WATCHDOG_S)


def test_the_lifelines_end_them_even_without_the_kernel_s_death_signal() -> None:
    program = (
        "import sys\n"
        "from loadsim.processes.kernel import Kernel\n"
        "from loadsim.processes.spawner import Spawner\n"
        "class WithoutDeathSignal(Kernel):\n"
        "    def die_with(self, parent): pass\n"
        "Spawner(WithoutDeathSignal(), int(sys.argv[1])).run()"
    )
    run_id = f"test-lifeline-{os.getpid()}"
    read, write = os.pipe()
    spawner = subprocess.Popen(
        [sys.executable, "-c", program, str(read), "-" * 480],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[read],
        env={"PHOENIX_LOADSIM": run_id, "PYTHONPATH": str(ROOT)},
    )
    os.close(read)
    assert spawner.stdin
    assert spawner.stdout
    try:
        spawner.stdin.write(framed("start", 0, "phx-x", ("phx-x",), 0, ("steady", 0, 60.0), ("idle", 0.0, 0.0)))
        spawner.stdin.flush()
        said = Incoming()
        ((what, slot, _),) = eventually("it is up", lambda: said.messages(spawner.stdout.read1(4096)))
        assert (what, slot) == ("up", 0)
        assert len(marked(run_id)) == 2
        spawner.kill()
        spawner.wait(PATIENCE_S)
        eventually("no process is left", lambda: not marked(run_id), within=WATCHDOG_S)
    finally:
        os.close(write)
        spawner.kill()
        spawner.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--spec", '{"count": 0}'], "--spec: count: Input should be greater than or equal to 1"),
        (["--spec", '{"procs": 1}'], "--spec: procs: Extra inputs are not permitted"),
        (["--spec", "not json"], "--spec: spec: Invalid JSON"),
        (["--spec", "{}", "--duration", "0"], "--duration: 0 is not between"),
        (["--spec", "{}", "--run-id", "a/b"], "--run-id: use letters"),
    ],
)
def test_bad_arguments_are_named_and_start_nothing(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "loadsim", "run", "--status-file", str(tmp_path / "status.json"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_status_file_that_cannot_be_written_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loadsim", "run", "--spec", "{}", "--status-file", str(tmp_path / "no" / "s.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
