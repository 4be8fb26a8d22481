"""Which resources this operator has: one list of what is watched, one of controllers, one of what else runs.

A room adds its WATCHED, its controller, or a background task here; nothing else of the runtime knows its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chalicelib.ports.clock import Clock
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.reconciler import Controller, Watched
from operators.pipelines import desired
from operators.pipelines import names as pipelines
from operators.pipelines.confirmation import Confirming
from operators.pipelines.reconcile import PipelineReconciler, Validating
from operators.pipelines.rendering import Templates
from operators.runtime.settings import Settings


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


WATCHED: tuple[Watched, ...] = (*pipelines.WATCHED,)
"""Of all controllers and tasks."""


def controllers(tools: Tools) -> tuple[Controller, ...]:
    """The controllers, in the order of this list."""
    settings = tools.settings
    collectors = desired.Settings(settings.collector_image, settings.pull_policy)
    return (
        Controller(
            "pipelines",
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
    )


@dataclass(frozen=True)
class Task:
    """Something that runs beside the controllers for as long as this process leads, until it is cancelled. It begins
    when all caches are filled. When it ends by itself, or raises, the process ends."""

    name: str
    run: Callable[[], Awaitable[None]]


def tasks(tools: Tools) -> tuple[Task, ...]:
    """The background tasks that the settings ask for."""
    return ()
