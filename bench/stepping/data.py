"""Experiments, hosts and measurements in bulk, as the services leave them behind. Nothing is measured here."""

from __future__ import annotations

from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Experiment, Proof, State
from chalicelib.domain.fleet.state import AgentState, Assignment, Purpose
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from chalicelib.ports.items import ItemStore
from chalicelib.repositories.records import AgentRecord, Records

TENANT = DEFAULT_TENANT
INTERVAL_S, WINDOW_S = 15, 60
CONTENT, MARKER = "a" * 64, "a" * 16 + ".1"
SERIES = {Variant.RAW: 7000, Variant.BASELINE: 7000, Variant.CANDIDATE: 600}
CRITICAL = tuple(CriticalProcess(pattern="nginx", name="nginx", pid=pid) for pid in (11, 12, 13))


class Seed:
    """Writes to a store; now: Unix seconds of its clock."""

    def __init__(self, store: ItemStore, now: float) -> None:
        self._records, self._now = Records(store), now

    def running(self, count: int) -> None:
        """Running experiments whose next evaluation is not due."""
        for number in range(count):
            self._experiment(number, State.RUNNING, evaluated_at=self._now)

    def measured(self, count: int) -> None:
        """Running experiments with a minute of measurements and an evaluation due."""
        for number in range(count):
            self._experiment(number, State.RUNNING, evaluated_at=None)
            for scrape in range(WINDOW_S // INTERVAL_S):
                at = round((self._now - WINDOW_S + 1 + scrape * INTERVAL_S) * 1e9)
                self._records.measurements.add(TENANT, _uid(number), _host(number), _counts(number, at), (), self._now)

    def pending(self, count: int) -> None:
        """Experiments that were just started."""
        for number in range(count):
            self._experiment(number, State.PENDING, evaluated_at=None)

    def _experiment(self, number: int, state: State, evaluated_at: float | None) -> None:
        host, begun = _host(number), state is State.RUNNING
        experiment = Experiment(
            uid=_uid(number),
            name=f"bench-{number:05d}",
            spec=_spec(host),
            spec_hash="b" * 64,
            hosts=(host,),
            state=state,
            created_at=self._now - WINDOW_S,
            created_by="bench",
            entered_at=self._now - WINDOW_S,
            deployed_at=self._now - WINDOW_S - 10 if begun else None,
            window_start=self._now - WINDOW_S if begun else None,
            configs={host: CONTENT},
            proofs=(Proof(host=host, content_hash=CONTENT, marker=MARKER, confirmed_at=self._now - WINDOW_S),),
            evaluated_at=evaluated_at,
        )
        self._records.experiments.create(TENANT, experiment)
        self._records.agents.create(
            TENANT, AgentRecord(host=host, state=self._agent(number) if begun else AgentState())
        )

    def _agent(self, number: int) -> AgentState:
        assigned = Assignment(
            scope=_uid(number),
            content_hash=CONTENT,
            revision=1,
            marker=MARKER,
            purpose=Purpose.EXPERIMENT,
            assigned_at=self._now - WINDOW_S - 5,
            confirmed_at=self._now - WINDOW_S,
        )
        return AgentState(connected=True, last_seen=self._now, revision=1, desired=assigned, confirmed=assigned)


def _spec(host: str) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "baseline": {"pipeline": "process-baseline-v1"},
            "candidate": {"pipeline": "process-topk-v1"},
            "targets": {"hosts": [host]},
            "critical": [{"name": "^nginx$"}],
            "interval": INTERVAL_S,
        }
    )


def _counts(number: int, at_ns: int) -> list[Count]:
    return [
        Count(
            scope=_uid(number),
            host=_host(number),
            variant=variant,
            start_ns=at_ns,
            end_ns=at_ns,
            series=series,
            critical=CRITICAL,
            marker=MARKER,
        )
        for variant, series in SERIES.items()
    ]


def _uid(number: int) -> str:
    return f"bench{number:021d}"


def _host(number: int) -> str:
    return f"host-{number:05d}"
