"""Which resources this operator has: one list of what is watched, one of controllers, one of what else runs.

A room adds what it watches, its controller, or a background task here; nothing else of the runtime knows its name.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from chalicelib.ports.clock import Clock
from operators.agent import view as agent
from operators.agent.carrier import Carrier, Who
from operators.control_plane.client import ControlPlaneClient
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.reconciler import Controller, Watched
from operators.experiments import reconciler as experiments
from operators.experiments.orders import Orders
from operators.loads import reconciler as loads
from operators.loads.desired import LoadPods
from operators.loads.reading import HttpAsk
from operators.pipelines import desired
from operators.pipelines import names as pipelines
from operators.pipelines.confirmation import Confirming
from operators.pipelines.reconcile import PipelineReconciler, Validating
from operators.pipelines.rendering import Templates
from operators.runtime.settings import Settings

UNNAMED = "cluster"
"""A cluster that has no name in the control plane, in the name of what manages an experiment."""


@dataclass(frozen=True)
class Tools:
    """What a room may be given."""

    cluster: Cluster
    caches: Caches
    clock: Clock
    settings: Settings
    catalog: Templates
    validating: Validating
    confirming: Confirming
    as_control_plane: Cluster
    """The same API, with the control plane's field manager."""
    closing: list[Callable[[], Awaitable[None]]]
    """Called at the end: what a room opened."""


def watched(settings: Settings) -> tuple[Watched, ...]:
    """What all controllers and tasks watch."""
    carried = agent.WATCHED if settings.cluster_secret else ()
    return (*pipelines.WATCHED, *loads.WATCHED, experiments.WATCHED, *carried)


@dataclass(frozen=True)
class Task:
    """Something that runs beside the controllers for as long as this process leads, until it is cancelled. It begins
    when all caches are filled. When it ends by itself, or raises, the process ends."""

    name: str
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Parts:
    """What runs, in the order of these lists."""

    controllers: tuple[Controller, ...]
    tasks: tuple[Task, ...]


def parts(tools: Tools) -> Parts:
    """The controllers and background tasks that the settings ask for."""
    settings = tools.settings
    collectors = desired.Settings(settings.collector_image, settings.pull_policy)
    carrier = _carrier(tools)
    return Parts(
        (
            Controller(
                pipelines.CONTROLLER,
                PipelineReconciler(
                    tools.cluster,
                    tools.caches,
                    tools.clock,
                    tools.catalog,
                    tools.validating,
                    tools.confirming,
                    collectors,
                ),
                pipelines.WATCHED,
            ),
            _loads(tools),
            _experiments(tools),
            *([carrier.controller()] if carrier else []),
        ),
        (*([Task("agent", carrier.run)] if carrier else []),),
    )


def _loads(tools: Tools) -> Controller:
    pods = LoadPods(tools.settings.operator_image, tools.settings.pull_policy)
    return loads.controller(tools.cluster, tools.caches, pods, HttpAsk(), tools.clock.now)


def _experiments(tools: Tools) -> Controller:
    """Without a control plane too: each resource says then that there is none."""
    control_plane = _control_plane(tools, tools.settings.experiments_secret)
    name = tools.settings.cluster or UNNAMED
    return experiments.controller(tools.cluster, tools.caches, Orders(control_plane), name=name, now=tools.clock.now)


def _carrier(tools: Tools) -> Carrier | None:
    settings = tools.settings
    control_plane = _control_plane(tools, settings.cluster_secret)
    if control_plane is None:
        return None
    who = Who(settings.cluster, settings.orders_namespace, _version(), settings.collector_image)
    return Carrier(tools.as_control_plane, tools.caches, control_plane, who, chance=random.random)


def _version() -> str:
    try:
        return metadata.version("phoenix-telemetry")
    except metadata.PackageNotFoundError:
        return ""


def _control_plane(tools: Tools, secret: Path | None) -> ControlPlaneClient | None:
    if secret is None:
        return None
    made = ControlPlaneClient(secret)
    tools.closing.append(made.close)
    return made
