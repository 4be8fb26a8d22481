"""What the agent does about an answer of the control plane: lists of actions, and its patience."""

from collections.abc import Mapping

import httpx
import pytest

from chalicelib.domain.errors import NotAllowed, PhoenixError, Rejected, Unavailable
from chalicelib.domain.load import DesiredLoad, LoadPhase, LoadSpec, LoadStatus
from loadsim.agent.agent import Agent, Answer, ForgetRun, StartRun, StopRun, decide
from loadsim.agent.control_plane import MAX_ANSWER, ControlPlane, Desired
from loadsim.agent.runs import RunView


def load(desired: str = "running", generation: int = 1, name: str = "web") -> DesiredLoad:
    return DesiredLoad.model_validate({"name": name, "spec": {}, "desired": desired, "generation": generation})


def run(phase: str = "running", generation: int = 1, interrupted: bool = False) -> RunView:
    return RunView(generation, LoadStatus(phase=LoadPhase(phase), generation=generation), interrupted)


@pytest.mark.parametrize(
    ("wanted", "present", "actions"),
    [
        ([load()], {}, [StartRun(load())]),
        ([load()], {"web": run()}, []),
        ([load()], {"web": run("stopped")}, []),
        ([load()], {"web": run("failed")}, []),
        ([load()], {"web": run("starting", interrupted=True)}, [StartRun(load())]),
        ([load(generation=2)], {"web": run()}, [StopRun("web")]),
        ([load(generation=2)], {"web": run("stopped")}, [StartRun(load(generation=2))]),
        ([load("stopped")], {"web": run()}, [StopRun("web")]),
        ([load("stopped")], {"web": run("stopped")}, []),
        ([], {"web": run()}, [StopRun("web")]),
        ([], {"web": run("failed")}, [ForgetRun("web")]),
        ([], {"web": run("starting", interrupted=True)}, [ForgetRun("web")]),
    ],
)
def test_decisions(wanted: list[DesiredLoad], present: dict[str, RunView], actions: list[object]) -> None:
    assert decide(Desired(tuple(wanted)), present) == actions


def test_stopped_is_confirmed_where_nothing_is_known() -> None:
    (answer,) = decide(Desired((load("stopped", generation=4),)), {})
    assert isinstance(answer, Answer)
    assert (answer.name, answer.status.phase, answer.status.generation) == ("web", LoadPhase.STOPPED, 4)


def test_a_request_that_is_not_understood_keeps_an_earlier_run_and_is_answered_otherwise() -> None:
    desired = Desired((), (("web", "spec.count: too many"),))
    assert decide(desired, {"web": run()}) == []
    (answer,) = decide(desired, {})
    assert isinstance(answer, Answer)
    assert answer.status.phase is LoadPhase.FAILED
    assert "spec.count" in answer.status.reason


class FakeControl:
    def __init__(self, answer: Desired | PhoenixError) -> None:
        self.answer, self.polls, self.reports = answer, 0, list[tuple[str, LoadStatus]]()

    def desired(self) -> Desired:
        self.polls += 1
        if isinstance(self.answer, PhoenixError):
            raise self.answer
        return self.answer

    def report(self, name: str, status: LoadStatus) -> None:
        self.reports.append((name, status))


class FakeRuns:
    def __init__(self) -> None:
        self.views: dict[str, RunView] = {}

    def start(self, load: DesiredLoad) -> None:
        self.views[load.name] = run("running", load.generation)

    def stop(self, name: str) -> None:
        self.views[name] = run("stopped", self.views[name].generation)

    def forget(self, name: str) -> None:
        del self.views[name]

    def look(self) -> Mapping[str, RunView]:
        return dict(self.views)


def at_work(control: FakeControl, seconds: int, runs: FakeRuns | None = None, chance: float = 1.0) -> FakeRuns:
    runs, now = runs or FakeRuns(), [100.0]
    agent = Agent(control, runs, clock=lambda: now[0], chance=lambda: chance)
    for _ in range(seconds * 2):
        agent.step()
        now[0] += 0.5
    return runs


def test_news_is_reported_at_once_and_the_rest_every_five_seconds() -> None:
    control = FakeControl(Desired((load(),)))
    at_work(control, 21)
    assert 4 <= len(control.reports) <= 6


def test_while_the_control_plane_is_away_runs_go_on_and_questions_get_rare() -> None:
    control, runs = FakeControl(Unavailable("away")), FakeRuns()
    runs.start(load())
    at_work(control, 300, runs)
    assert runs.views == {"web": run()}
    assert 8 <= control.polls <= 16


def test_a_refused_token_is_not_tried_often() -> None:
    control = FakeControl(NotAllowed("no"))
    at_work(control, 90)
    assert control.polls <= 4


def answering(answer: httpx.Response | Exception) -> ControlPlane:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret-token"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ControlPlane("http://plane", "host-1", "secret-token", httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="<html>"), Unavailable),
        (httpx.Response(200, json=[]), Unavailable),
        (httpx.Response(200, json={"items": {}}), Unavailable),
        (httpx.Response(200, json={"items": [{}] * 101}), Unavailable),
        (httpx.Response(200, text="[" * 100_000), Unavailable),
        (httpx.Response(200, content=b" " * (MAX_ANSWER + 1)), Unavailable),
        (httpx.Response(302, headers={"location": "http://elsewhere"}), Unavailable),
        (httpx.Response(500), Unavailable),
        (httpx.Response(429), Unavailable),
        (httpx.Response(401), NotAllowed),
        (httpx.Response(403), NotAllowed),
        (httpx.Response(404), Rejected),
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
    ],
)
def test_odd_answers_are_errors_of_the_one_tree_and_never_show_the_token(answer: httpx.Response, error: type) -> None:
    with answering(answer) as control, pytest.raises(error) as caught:
        control.desired()
    assert "secret-token" not in caught.value.detail


def test_odd_entries_do_not_spoil_the_good_ones() -> None:
    good = {"name": "web", "spec": {"count": 3}, "desired": "running", "generation": 1}
    bad = {**good, "name": "bad", "spec": {"count": -1}}
    items = [None, 7, {}, {**good, "name": "../../etc"}, {**good, "name": "a" * 64}, bad, good]
    with answering(httpx.Response(200, json={"items": items})) as control:
        desired = control.desired()
    assert desired.loads == (DesiredLoad(name="web", spec=LoadSpec(count=3), desired="running", generation=1),)
    assert [name for name, _ in desired.refused] == ["bad"]
