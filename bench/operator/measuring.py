"""The measurement: one cluster a subject, a thousand resources, rest, changes, a restart, a deletion by hand."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.instruments import conditions, proc
from bench.instruments.running import BenchFailed, collector_binary
from bench.operator.api import DAEMON_SETS, MERGE, PIPELINES, Api, Watcher
from bench.operator.audit import POLICY, Audit, Requests
from bench.operator.resources import DISTINCT, NOWHERE, configurations, name, node, pipeline
from bench.operator.subjects import Subject, build, floor, kwok, phoenix, started
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.settings import ROOT
from tests.kubernetes.cluster import Cluster

MANY, FEW = 1_000, 100
NODES = 10
REST_S, CHANGES = 30.0, 20
START_S, DEADLINE_S = 120.0, 600.0
SETTLE_S = 5.0
COLUMNS = (
    Column("what", "resources on"),
    Column("subject", "operator"),
    Column("resources", "resources", ",d"),
    Column("all_s", "all have status s", ".1f"),
    Column("per_resource", "requests/resource", ".2f"),
    Column("cpu_s", "CPU s", ".1f"),
    Column("rss_before_mib", "RSS MiB before", ".0f"),
    Column("rss_after_mib", "after", ".0f"),
    Column("rss_peak_mib", "peak", ".0f"),
    Column("rest_requests", "requests at rest", "d"),
    Column("rest_cpu_percent", "CPU at rest %", ".2f"),
    Column("change_ms", "change → status ms", ".0f"),
    Column("change_worst_ms", "worst", ".0f"),
    Column("config_ms", "new configuration → status ms", ".0f"),
    Column("restart_requests", "requests at restart", "d"),
    Column("restart_s", "change made while down, s", ".1f"),
    Column("restart_rss_mib", "RSS MiB at restart", ".0f"),
    Column("restart_peak_mib", "its peak", ".0f"),
    Column("repair_ms", "DaemonSet back ms", ".0f"),
)
NOTES = (
    "Goals with 1 000 resources whose nodes do not exist: at most 3 requests a new resource and none at rest, under "
    "160 MiB, all within 20 s, a change in its status within 100 ms, a restart with at most 20 requests.",
    f"Resources hold the shared A/B of baseline and top-K, {DISTINCT} distinct configurations. Requests are counted in "
    "the API server's audit log; lists count, a watch when it ends. The floor makes the same objects and does nothing "
    "else: no rendering, no validation by the collector, no pods, no roll back. A new configuration's time holds the "
    "collector's own validation of it.",
    "API server, etcd, controllers, the bench and the operator share the machine.",
)


def run(options: Options) -> Report:
    """Phoenix and the floor, in turns. Raises BenchFailed when one of them does not get there."""
    count = FEW if options.quick else MANY
    said = conditions.machine()
    collector = collector_binary()
    tools = _tools()
    build(tools)
    rows: list[tuple[Cell, ...]] = []
    for simulated in (False,) if options.quick else (False, True):
        for choose in (
            lambda kubeconfig: phoenix(kubeconfig, collector),
            lambda kubeconfig: floor(kubeconfig, tools),
        ):
            rows.append(_measured(choose, count, tools, simulated=simulated))
    title = f"An operator with {count:,} PhoenixProcessPipelines on a real API server"
    said |= conditions.load_after() | {"simulated_nodes": NODES}
    return Report("operator", said, (Table(title, COLUMNS, tuple(rows)),), NOTES)


def _tools() -> Path:
    cache = (
        os.environ.get("PHOENIX_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "phoenix"
    )
    return Path(cache) / "bench-operator"


@dataclass
class Run:
    """One subject on one cluster."""

    subject: Subject
    cluster: Cluster
    api: Api
    audit: Audit
    watcher: Watcher
    log: Path


def _measured(choose: Callable[[Path], Subject], count: int, tools: Path, *, simulated: bool) -> tuple[Cell, ...]:
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="phoenix-bench-")))
        (folder / "policy.yaml").write_text(POLICY, "utf-8")
        log = folder / "audit.log"
        flags = f"--audit-policy-file={folder / 'policy.yaml'} --audit-log-path={log} --audit-log-mode=blocking-strict"
        cluster = ends.enter_context(Cluster({**os.environ, "KUBE_APISERVER_FLAGS": flags}))
        api = ends.enter_context(Api(cluster.kubeconfig))
        crds = sorted((ROOT / "charts" / "phoenix" / "crds").glob("*.yaml"))
        cluster.kubectl("apply", "--server-side", *(word for crd in crds for word in ("-f", str(crd))))
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for number in range(NODES):
            api.ask("POST", "/api/v1/nodes", node(number))
        ends.enter_context(started(kwok(cluster.kubeconfig, tools), folder / "kwok.log"))
        subject = choose(cluster.kubeconfig)
        watcher = Watcher(cluster.kubeconfig, PIPELINES, _current)
        run = Run(subject, cluster, api, Audit(log, subject.agents), watcher, folder / "subject.log")
        return (
            "a simulated node each" if simulated else "no node",
            subject.name,
            count,
            *_phases(run, count, simulated),
        )


def _phases(run: Run, count: int, simulated: bool) -> Iterator[Cell] | tuple[Cell, ...]:
    bodies = _bodies(count, simulated)
    names = [name(number) for number in range(count)]
    with _running(run) as child:
        before = proc.memory(child.pid).rss
        run.audit.since_last()
        cpu, began = proc.cpu_seconds(child.pid), time.perf_counter()
        run.api.create(PIPELINES, bodies)
        all_s = max(run.watcher.all(names, DEADLINE_S).values()) - began
        _quiet(run)
        cpu_s = proc.cpu_seconds(child.pid) - cpu
        made = run.audit.since_last()
        rest = _rest(run, child.pid)
        changes = [_change(run, names[n * 7 % count], _limit(n)) for n in range(CHANGES)]
        configs = [_change(run, names[n * 7 % count], _interval(n)) for n in range(CHANGES)]
        repair = _repair(run, names[3])
        memory = proc.memory(child.pid)
    run.audit.since_last()
    restart, after_s, again = _restart(run, names[5])
    mib = 1024 * 1024
    return (
        all_s,
        made.other / count,
        cpu_s,
        before / mib,
        memory.rss / mib,
        memory.highest / mib,
        rest[0].all,
        rest[1],
        statistics.median(changes) * 1000,
        max(changes) * 1000,
        statistics.median(configs) * 1000,
        restart.all,
        after_s,
        again.rss / mib,
        again.highest / mib,
        repair * 1000,
    )


def _bodies(count: int, simulated: bool) -> list[dict[str, Any]]:
    configs = configurations()
    where = [f"kwok-{number:02d}" for number in range(NODES)] if simulated else [NOWHERE]
    return [pipeline(n, configs[n % len(configs)], where[n % len(where)]) for n in range(count)]


def _current(thing: Mapping[str, Any]) -> bool:
    status = thing.get("status", {})
    return status.get("observedGeneration") == thing["metadata"]["generation"] and bool(status.get("appliedConfigHash"))


@contextmanager
def _running(run: Run) -> Iterator[Any]:
    with started(run.subject.command, run.log) as child:
        probe = pipeline(9999, configurations()[0], NOWHERE)
        run.api.ask("POST", PIPELINES, probe)
        run.watcher.all([name(9999)], START_S)
        run.api.ask("DELETE", f"{PIPELINES}/{name(9999)}")
        run.watcher.forget()
        _quiet(run)
        yield child


def _quiet(run: Run) -> None:
    """Wait until the operator asked for nothing during a few seconds."""
    peek = Audit(run.audit.log, run.subject.agents)
    end = time.perf_counter() + DEADLINE_S
    peek.since_last()
    while time.perf_counter() < end:
        time.sleep(SETTLE_S)
        if peek.since_last().other == 0:
            return
    raise BenchFailed(f"{run.subject.name} never came to rest")


def _rest(run: Run, pid: int) -> tuple[Requests, float]:
    cpu = proc.cpu_seconds(pid)
    time.sleep(REST_S)
    return run.audit.since_last(), (proc.cpu_seconds(pid) - cpu) / REST_S * 100


def _limit(number: int) -> dict[str, Any]:
    """A change that leaves the configuration as it is."""
    return {"spec": {"resources": {"limits": {"memory": f"{300 + number}Mi"}}}}


def _interval(number: int) -> dict[str, Any]:
    """A change of the configuration, which no other resource has: the collector must validate it."""
    return {"spec": {"config": {"processors": {"memory_limiter": {"check_interval": f"{2 + number}s"}}}}}


def _change(run: Run, called: str, patch: Mapping[str, Any]) -> float:
    """Seconds from a change of the spec to the status that speaks of it."""
    run.watcher.forget()
    began = time.perf_counter()
    run.api.ask("PATCH", f"{PIPELINES}/{called}", patch, MERGE)
    took = run.watcher.all([called], DEADLINE_S)[called] - began
    time.sleep(0.5)
    return took


def _repair(run: Run, called: str) -> float:
    """Seconds until a DaemonSet that was deleted by hand is there again."""
    found = [
        one["metadata"]
        for one in run.api.ask("GET", DAEMON_SETS)["items"]
        if any(owner["name"] == called for owner in one["metadata"].get("ownerReferences", []))
    ]
    old, where = found[0]["uid"], f"{DAEMON_SETS}/{found[0]['name']}"
    back = Watcher(run.cluster.kubeconfig, DAEMON_SETS, lambda thing: thing["metadata"]["uid"] != old)
    back.forget()
    began = time.perf_counter()
    run.api.ask("DELETE", where)
    return back.all([found[0]["name"]], DEADLINE_S)[found[0]["name"]] - began


def _restart(run: Run, called: str) -> tuple[Requests, float, proc.Memory]:
    """Of a start with everything there: requests, seconds until a change made meanwhile is applied, and the memory once
    it is at rest (lists come in pages, and a page is at its largest while it is parsed)."""
    run.watcher.forget()
    run.api.ask("PATCH", f"{PIPELINES}/{called}", _limit(CHANGES), MERGE)
    began = time.perf_counter()
    with started(run.subject.command, run.log) as child:
        took = run.watcher.all([called], DEADLINE_S)[called] - began
        _quiet(run)
        return run.audit.since_last(), took, proc.memory(child.pid)
