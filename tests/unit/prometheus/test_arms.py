"""What is asked of a server, and answers of the right shape to another question."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.adapters.prometheus.arms import MAX_HOSTS, MAX_PIDS, READ_S, PrometheusArms
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.experiment.source import Prometheus
from chalicelib.domain.measurement import CriticalProcess
from chalicelib.ports.kpis import Asked

SECOND = 10**9
START = 1_700_000_000 * SECOND


class Api:
    """A server that answers with the same matrix; remembers the questions."""

    def __init__(self, *series: Any, probe: str = "2") -> None:
        self.questions: list[tuple[str, int, int, int]] = []
        self.series, self.probe = series, probe

    def query(self, promql: str, at_ms: int) -> Any:
        return {"resultType": "vector", "result": [{"metric": {}, "value": [0, self.probe]}]}

    def query_range(self, promql: str, start_ms: int, end_ms: int, step_ms: int) -> Any:
        self.questions.append((promql, start_ms, end_ms, step_ms))
        return {"resultType": "matrix", "result": list(self.series)}


def arms(api: Api, clock: Any = lambda: 0.0, **source: Any) -> PrometheusArms:
    return PrometheusArms(api, Prometheus(url="http://x", **source), clock)  # type: ignore[arg-type]


def asked(hosts: int = 1, seconds: int = 60, pids: int = 0) -> Asked:
    names = [f"h{number}" for number in range(hosts)]
    critical = frozenset(CriticalProcess(pattern="p", name="n", pid=pid) for pid in range(pids))
    spans = dict.fromkeys(names, (START, START + seconds * SECOND))
    return Asked("t", "s", 6.0, spans, dict.fromkeys(names, critical) if pids else {})


def series(at: float = START / SECOND + 1, host: str = "h0", variant: str = "baseline", count: str = "3") -> Any:
    return {"metric": {"host_name": host, "phoenix_variant": variant}, "values": [[at, count]]}


def test_the_question_holds_the_labels_escaped() -> None:
    api = Api()
    arms(api, match={"cluster": 'a"b\\c'}, host_label="instance", variant_label="arm").arms(asked())
    ((promql, start, end, step),) = api.questions
    selected = '{arm=~"baseline|candidate",instance=~"h0",cluster="a\\"b\\\\c"}'
    assert promql == f"count by (instance,arm) (last_over_time({selected}[999ms]))"
    assert (start % step, end % step, step) == (0, 0, 1000)


@pytest.mark.parametrize(("probe", "reach"), [("2", "[999ms]"), ("1", "[1000ms]")])
def test_ranges_fit_the_server(probe: str, reach: str) -> None:
    api = Api(probe=probe)
    arms(api).arms(asked())
    assert reach in api.questions[0][0]


@pytest.mark.parametrize(
    "answer",
    [
        series(host="h9"),
        series(variant="raw"),
        series(at=START / SECOND + 0.5),
        series(at=START / SECOND - 3600),
    ],
)
def test_what_was_not_asked_for_is_refused(answer: Any) -> None:
    with pytest.raises(Unavailable, match="does not fit the question"):
        arms(Api(answer)).arms(asked())
    with pytest.raises(Unavailable, match="neither one nor two"):
        arms(Api(probe="3")).arms(asked())


def test_questions_are_bounded_in_hosts_steps_and_pids() -> None:
    api = Api()
    arms(api).arms(asked(hosts=12, seconds=600, pids=450))
    arms(api).arms(asked(hosts=120, seconds=3600, pids=10))
    for promql, start, end, step in api.questions:
        assert (end - start) // step < 2000
        hosts = re.search(r'host_name=~"([^"]+)"', promql)
        pids = re.search(r'process_pid=~"([^"]+)"', promql)
        assert hosts
        assert len(hosts[1].split("|")) <= MAX_HOSTS
        assert not pids or len(pids[1].split("|")) <= MAX_PIDS


def test_too_many_questions_and_too_long_a_reading_are_refused() -> None:
    with pytest.raises(Unavailable, match="questions to Prometheus would be needed"):
        arms(Api()).arms(asked(hosts=1000, seconds=36_000))
    times = iter([0.0, 1.0, READ_S + 2])
    with pytest.raises(Unavailable, match="took longer"):
        arms(Api(), clock=lambda: next(times)).arms(asked())
