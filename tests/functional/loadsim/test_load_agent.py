"""The agent brings about what the control plane wants, survives whatever it answers, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib.domain.load import DesiredLoad, LoadPhase, LoadSpec, LoadStatus
from loadsim.agent.agent import decide
from loadsim.agent.control_plane import Desired
from loadsim.agent.runs import Record, Runs
from loadsim.status_file import read_status, write_status
from tests.functional.loadsim.plane import TOKEN, FakePlane, StartedAgent
from tests.functional.loadsim.started import PATIENCE_S, WATCHDOG_S, comm, eventually

SMALL = {"count": 10, "busy": 1, "critical": 2, "restartsPerMinute": 0}
PROCESSES = 12
"""Of a SMALL load: its ten, their spawner and their generator."""


@pytest.fixture
def plane() -> Iterator[FakePlane]:
    plane = FakePlane()
    yield plane
    plane.close()


@pytest.fixture
def start_agent(tmp_path: Path, plane: FakePlane) -> Iterator[Callable[..., StartedAgent]]:
    agents: list[StartedAgent] = []

    def start(port: int = 0, token: str = TOKEN) -> StartedAgent:
        agents.append(StartedAgent(tmp_path, port or plane.port, token))
        return agents[-1]

    yield start
    for agent in agents:
        agent.end()


Start = Callable[..., StartedAgent]


def running(plane: FakePlane, name: str = "web", generation: int = 1) -> None:
    eventually(f"{name} runs", lambda: plane.told(name, LoadPhase.RUNNING, generation))


def test_a_load_is_started_reported_and_stopped_on_demand(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    status = eventually("running is reported", lambda: plane.told("web", LoadPhase.RUNNING))
    assert (status.running, status.spawned) == (10, 10)
    assert status.names[:2] == ("phx-crit-01", "phx-crit-02")
    assert len(agent.left()) == PROCESSES
    plane.want("web", desired="stopped", generation=1, **SMALL)
    status = eventually("stopped is reported", lambda: plane.told("web", LoadPhase.STOPPED))
    assert (status.running, status.reason) == (0, "asked to stop (SIGTERM)")
    assert agent.left() == []


def test_a_load_that_is_no_longer_named_is_stopped_and_another_goes_on(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    plane.want("batch", **SMALL)
    agent = start_agent()
    running(plane, "web")
    running(plane, "batch")
    plane.items = plane.items[1:]
    eventually("one is left", lambda: len(agent.left()) == PROCESSES)
    plane.want("batch", generation=2, **{**SMALL, "count": 5})
    running(plane, "batch", generation=2)
    assert len(agent.left()) == PROCESSES - 5


def test_a_load_that_ended_by_itself_is_not_started_again_not_even_by_a_new_agent(
    plane: FakePlane, start_agent: Start
) -> None:
    plane.want("web", **SMALL, durationS=3)
    agent = start_agent()
    status = eventually("its end is reported", lambda: plane.told("web", LoadPhase.STOPPED))
    assert status.reason == "duration reached"
    spawned = status.spawned
    agent.end()
    plane.reports.clear()
    agent = start_agent()
    status = eventually("the new agent reports the end", lambda: plane.told("web", LoadPhase.STOPPED))
    assert (status.reason, status.spawned) == ("duration reached", spawned)
    polls = plane.polls
    eventually("more polls", lambda: plane.polls > polls + 1)
    assert agent.left() == []


def test_an_end_that_was_not_noticed_yet_is_kept_when_the_agent_ends(tmp_path: Path) -> None:
    load = DesiredLoad(
        name="web", desired="running", generation=1, spec=LoadSpec.model_validate({**SMALL, "durationS": 3})
    )
    with Runs(tmp_path, wall=time.time) as runs:
        runs.start(load)
        status_file = tmp_path / "loadsims" / "web.status.json"
        ended = eventually(
            "it ends", lambda: found if (found := read_status(status_file)) and found.phase.ended else None
        )
    with Runs(tmp_path, wall=time.time) as runs:
        view = runs.look()["web"]
        assert not view.interrupted
        assert (view.status.reason, view.status.spawned) == ("duration reached", ended.spawned)


def test_an_end_that_was_told_and_not_reaped_is_kept_when_the_agent_is_killed(tmp_path: Path) -> None:
    load = DesiredLoad(name="web", desired="running", generation=1, spec=LoadSpec.model_validate(SMALL))
    folder = tmp_path / "loadsims"
    folder.mkdir()
    (folder / "web.record.json").write_text(Record(generation=1, deadline=time.time()).model_dump_json(by_alias=True))
    told = LoadStatus(phase=LoadPhase.STOPPED, spawned=10, reason="duration reached")
    write_status(folder / "web.status.json", told)
    with Runs(tmp_path, wall=time.time) as runs:
        view = runs.look()["web"]
        assert not view.interrupted
        assert (view.status.reason, view.status.spawned) == ("duration reached", 10)
        assert decide(Desired((load,), ()), runs.look()) == []


def test_a_load_whose_time_ran_out_while_no_agent_lived_keeps_its_counts(tmp_path: Path) -> None:
    load = DesiredLoad(name="web", desired="running", generation=1, spec=LoadSpec.model_validate(SMALL))
    folder = tmp_path / "loadsims"
    folder.mkdir()
    (folder / "web.record.json").write_text(Record(generation=1, deadline=time.time()).model_dump_json(by_alias=True))
    write_status(folder / "web.status.json", LoadStatus(phase=LoadPhase.RUNNING, running=10, spawned=14))
    with Runs(tmp_path, wall=time.time) as runs:
        assert runs.look()["web"].interrupted
        runs.start(load)
        status = runs.look()["web"].status
        assert (status.phase, status.reason) == (LoadPhase.STOPPED, "duration reached")
        assert (status.running, status.spawned) == (0, 14)


def test_the_token_reaches_no_child(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    for pid in agent.left():
        assert TOKEN.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert TOKEN.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert TOKEN not in agent.log.read_text()


def test_kill_9_of_the_agent_leaves_none_and_a_new_agent_goes_on(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    agent.process.kill()
    agent.process.wait(PATIENCE_S)
    eventually("no process is left", lambda: not agent.left(), within=WATCHDOG_S)
    plane.reports.clear()
    again = start_agent()
    running(plane)
    assert len(again.left()) == PROCESSES


def test_an_agent_that_starts_at_once_after_kill_9_has_one_population_not_two(
    plane: FakePlane, start_agent: Start
) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    old = agent.left()
    agent.process.kill()
    plane.reports.clear()
    again = start_agent()
    running(plane)
    assert len(again.left()) == PROCESSES
    assert not set(old) & set(again.left())


def test_a_generator_killed_with_9_is_reported_as_failed_and_leaves_none(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    (generator,) = agent.generators()
    os.kill(generator, signal.SIGKILL)
    eventually("no process is left", lambda: not agent.left(), within=WATCHDOG_S)
    status = eventually("the failure is reported", lambda: plane.told("web", LoadPhase.FAILED))
    assert status.reason == "the generator ended unexpectedly (signal 9)"
    assert status.running == 0


def test_asked_to_end_the_agent_leaves_none(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    agent.process.terminate()
    assert agent.process.wait(PATIENCE_S) == 0
    assert agent.left() == []


def test_while_the_control_plane_is_away_the_load_goes_on(tmp_path: Path, start_agent: Start) -> None:
    first = FakePlane()
    first.want("web", **SMALL)
    agent = start_agent(first.port)
    try:
        running(first)
    finally:
        first.close()
    before = agent.left()
    eventually("the agent has noticed", lambda: "cannot be reached" in agent.log.read_text())
    assert agent.left() == before
    second = FakePlane(first.port)
    try:
        second.want("web", **SMALL)
        eventually("reports resume", lambda: second.told("web", LoadPhase.RUNNING))
        assert agent.left() == before
        assert "answers again" in agent.log.read_text()
    finally:
        second.close()


def test_a_load_ends_in_time_though_the_control_plane_is_away(start_agent: Start) -> None:
    plane = FakePlane()
    plane.want("web", **SMALL, durationS=5)
    agent = start_agent(plane.port)
    try:
        running(plane)
    finally:
        plane.close()
    eventually("its duration ended it", lambda: not agent.left())
    assert agent.process.poll() is None


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>hello</html>"),
        (200, b'{"items": [null, 3, {"name": "../x"}, {"name": "other", "spec": {"count": -1}}, {"name": "web"}]}'),
        (500, b""),
    ],
)
def test_odd_answers_stop_nothing(plane: FakePlane, start_agent: Start, answer: tuple[int, bytes]) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    before, polls = agent.left(), plane.polls
    plane.answer = answer
    eventually("the odd answer was read", lambda: plane.polls > polls)
    plane.answer = None
    plane.reports.clear()
    eventually("the agent is back at work", lambda: plane.told("web", LoadPhase.RUNNING))
    assert agent.left() == before
    assert agent.process.poll() is None
    assert "Traceback" not in agent.log.read_text()


def test_a_request_it_cannot_understand_is_answered_with_the_reason(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", count=-1)
    start_agent()
    status = eventually("the refusal is reported", lambda: next((s for n, s in plane.reports if n == "web"), None))
    assert status.phase is LoadPhase.FAILED
    assert "spec.count: Input should be greater than or equal to 1" in status.reason


def test_a_wrong_token_is_said_and_not_shown(plane: FakePlane, start_agent: Start) -> None:
    agent = start_agent(token="phx_wrong-token")
    eventually("the refusal is logged", lambda: "refuses this host's token (401)" in agent.log.read_text())
    assert "phx_wrong-token" not in agent.log.read_text()
    assert agent.process.poll() is None


def test_two_agents_on_one_data_folder_are_one_too_many(plane: FakePlane, start_agent: Start) -> None:
    plane.want("web", **SMALL)
    agent = start_agent()
    running(plane)
    assert start_agent().process.wait(PATIENCE_S) == 1
    assert "another load agent runs" in agent.log.read_text()
    assert any(comm(pid) == "phx-crit-01" for pid in agent.left())


def test_without_a_token_it_says_which_variable(start_agent: Start) -> None:
    agent = start_agent(token="")
    assert agent.process.wait(PATIENCE_S) == 2
    assert "PHOENIX_TOKEN is not set" in agent.log.read_text()
