"""Lists: from the API's JSON to rows, with hostile names as they are and nothing claimed that was not reported."""

from __future__ import annotations

import random
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from chalicelib.domain.experiment.sight import looked
from chalicelib.domain.load import LoadPhase, LoadRates, LoadSpec, LoadStage, LoadStatus
from chalicelib.domain.loadsim import LoadSim
from phoenix_cli.show.tables import deployments_table, experiments_table, hosts_table, loadsims_table, pipelines_table
from tests.unit.evaluation.simulated import scrape
from tests.unit.show.made import OPEN, decided, evaluation_of, experiment_in


def rows(table: Table) -> list[str]:
    out = StringIO()
    Console(file=out, width=240, no_color=True).print(table)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()][2:]


HOST: dict[str, Any] = {
    "name": "node-01",
    "labels": {"role": "web"},
    "enrolledAt": OPEN,
    "connected": True,
    "lastSeen": OPEN - 12,
    "collectorHealthy": True,
    "collectorVersion": "0.155.0",
    "collectorError": "",
    "activeMarker": "m",
    "activeScope": "exp-1",
    "desiredMarker": "m",
    "experiment": "web-topk",
    "deployment": "",
    "quarantine": [],
    "facts": {},
}


def test_hosts_say_how_they_are() -> None:
    away = {
        **HOST,
        "name": "node-02",
        "connected": False,
        "experiment": "",
        "deployment": "web",
        "lastSeen": OPEN - 300,
    }
    new = {**HOST, "name": "node-03", "connected": False, "lastSeen": None, "collectorHealthy": None, "experiment": ""}
    assert rows(hosts_table([HOST, away, new], OPEN)) == [
        "node-01 yes healthy 0.155.0 experiment web-topk role=web 12s ago",
        "node-02 away healthy 0.155.0 deployment web role=web 5m ago",
        "node-03 never unknown 0.155.0 idle role=web never",
    ]


def test_without_a_clock_times_are_shown_instead_of_ages() -> None:
    assert "2026-09-21 14:13:08 UTC" in rows(hosts_table([HOST]))[0]


def test_a_hosts_words_are_data() -> None:
    error = "[bold red]no\x1b[2J\nsuch processor[/bold red] [link=http://x]y[/link]"
    (row,) = rows(hosts_table([{**HOST, "collectorHealthy": False, "collectorError": error}], OPEN))
    assert row.endswith("[bold red]no [2J such processor[/bold red] [link=http://x]y[/link]")
    assert "unhealthy" in row


def test_pipelines_show_defaults_and_bounds() -> None:
    parameters = [
        {"name": "k", "type": "int", "default": 20, "minimum": 1, "maximum": 500},
        {"name": "keep", "type": "regexes", "default": ["^a$"], "minimum": None, "maximum": 50},
    ]
    item = {"name": "process-topk-v1", "version": "1.0.0", "title": "Top processes", "parameters": parameters}
    (row,) = rows(pipelines_table([{**item, "source": "catalog"}]))
    assert row == "process-topk-v1 1.0.0 catalog Top processes k=20 (1–500), keep=1 pattern"


def test_a_deployment_is_active_only_when_every_host_proved_it() -> None:
    def item(**statuses: str) -> dict[str, Any]:
        return {
            "name": "web",
            "current": 2,
            "pipeline": "process-topk-v1 k=20",
            "settled": True,
            "status": {
                host: {"status": status, "error": "bad\nkey" if status == "failed" else ""}
                for host, status in statuses.items()
            },
            "versions": [{"number": 2, "createdAt": OPEN - 60}],
        }

    assert rows(deployments_table([item(a="active", b="active")], OPEN)) == [
        "web process-topk-v1 k=20 2 2/2 active 1m ago"
    ]
    assert rows(deployments_table([item(a="active", b="offered")], OPEN)) == [
        "web process-topk-v1 k=20 2 1/2 settling 1m ago"
    ]
    assert rows(deployments_table([item(a="active", b="failed")], OPEN)) == [
        "web process-topk-v1 k=20 2 1/2 failed 1m ago b: failed bad key"
    ]
    assert "no hosts" in rows(deployments_table([item()], OPEN))[0]


def test_experiments_from_the_apis_json() -> None:
    found = evaluation_of()
    done = decided(looked(experiment_in(), found, OPEN), found).model_dump(mode="json", by_alias=True)
    running = looked(experiment_in(), evaluation_of(9), OPEN).model_dump(mode="json", by_alias=True)
    first, second = rows(experiments_table([done, running], OPEN + 900))
    assert first.startswith("web-topk completed promote 91.0 % [90.5, 91.5] process-baseline-v1 process-topk-v1 k=20 2")
    assert "promoted" in first
    assert second.startswith("web-topk running – 91.0 % process-baseline-v1")
    assert "waits for 16 complete scrapes: 8 so far" in second


def test_an_experiment_that_is_not_decided_shows_interval_and_time_left() -> None:
    here = [c for i in range(60) for c in scrape(i * 15 + 3, series=(7000, 7000, random.Random(i).randint(2600, 4000)))]
    found = evaluation_of(60, ("node-01",), counts=here, min_minutes=5)
    running = looked(experiment_in(hosts=("node-01",)), found, OPEN).model_dump(mode="json", by_alias=True)
    (shown,) = rows(experiments_table([running], OPEN + 900))
    low, high, left = found.reduction.low, found.reduction.high, found.minutes_left
    assert low is not None
    assert high is not None
    assert left is not None
    assert f"[{low * 100:.1f}, {high * 100:.1f}] {left.low:.0f}–{left.high:.0f} min" in shown


def test_loads_show_what_runs_of_what_was_asked() -> None:
    status = LoadStatus(phase=LoadPhase.RUNNING, running=298, restarts=4)
    load = LoadSim(name="web", host="node-01", spec=LoadSpec(), created_at=OPEN, created_by="x", status=status)
    stopping = load.model_copy(update={"desired": "stopped", "reported_at": OPEN})
    shown = rows(loadsims_table([one.model_dump(mode="json", by_alias=True) for one in (load, stopping)], OPEN + 30))
    assert shown == [
        "web node-01 high-cardinality running 298/1000 – 4 30s ago never",
        "web node-01 high-cardinality stopping 298/1000 – 4 30s ago 30s ago",
    ]


def test_a_scenario_s_load_shows_its_stage_and_rates_beside_those_asked() -> None:
    stage = LoadStage(name="storm", number=2, of=5)
    rates = LoadRates(asked=25, starts=24.88, ends=24.9, seconds=30)
    status = LoadStatus(phase=LoadPhase.RUNNING, asked=250, running=249, stage=stage, rates=rates)
    spec = LoadSpec.model_validate({"profile": "chaos"})
    load = LoadSim(name="web", host="node-01", spec=spec, created_at=OPEN, created_by="x", status=status)
    (shown,) = rows(loadsims_table([load.model_dump(mode="json", by_alias=True)], OPEN + 30))
    assert shown == "web node-01 chaos storm 2/5 running 249/250 24.9/25 0 30s ago never"
