"""Simulated load on nodes: which jobs a cluster shall have, and what their words mean for the loads. Decides only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from chalicelib.domain.kubernetes.exchange import LoadSeen, LoadWanted
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec
from chalicelib.domain.load import LoadStatus
from chalicelib.domain.load.status import MAX_NAMES
from chalicelib.domain.loadsim import LoadSim

_NAME_DIGITS = 10
_READABLE = 40


def job_name(sim: LoadSim) -> str:
    """The job of one request: its spec never changes, so that another request of the same name has another."""
    digits = hashlib.sha256(f"{sim.host}/{sim.name}/{sim.generation}".encode()).hexdigest()[:_NAME_DIGITS]
    return f"{sim.name[:_READABLE].rstrip('-')}-{digits}"


def wanted_jobs(sims: Iterable[LoadSim], selectors: Mapping[str, str]) -> tuple[LoadWanted, ...]:
    """sims: of the cluster's hosts. selectors: host to the name by which resources name its node."""
    found = [
        LoadWanted(
            name=job_name(sim),
            spec=LoadSimulationJobSpec(
                load=sim.spec, node_names=(selectors[sim.host],), stopped=sim.desired == "stopped"
            ),
        )
        for sim in sims
        if sim.host in selectors and not over(sim)
    ]
    return tuple(sorted(found, key=lambda one: one.name))


def over(sim: LoadSim) -> bool:
    """Whether nothing more comes of it."""
    return sim.status.phase.ended


def status_of_job(sim: LoadSim, job: LoadSeen) -> LoadStatus | None:
    """What a job says of its load, None before it said anything."""
    said = job.status
    if said is None or said.observed_generation == 0:
        return None
    of_node = said.nodes[0].status if said.nodes else None
    found = of_node or LoadStatus(phase=said.phase)
    return found.model_copy(
        update={
            "phase": said.phase,
            "generation": sim.generation,
            "asked": said.asked or found.asked,
            "running": said.running,
            "spawned": said.spawned,
            "restarts": said.restarts,
            "started_at": said.started_at if said.started_at is not None else found.started_at,
            "ended_at": said.ended_at if said.ended_at is not None else found.ended_at,
            "reason": said.reason or found.reason,
            "names": found.names[:MAX_NAMES],
        }
    )
