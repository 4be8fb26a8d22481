"""What an operator asks of an existing experiment, over HTTP: start, pause, resume, stop, promote; time; a copy;
another manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from chalicelib.api.experiments import Created, StartQuery
from chalicelib.api.furniture.route import Model, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.errors import Conflict, NotFound, Rejected
from chalicelib.domain.experiment.managing import Adoption, Manager
from chalicelib.domain.experiment.rollout import Rollout
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.experiment.transitions import Cause
from chalicelib.domain.pipeline.metadata import NAME
from chalicelib.domain.units import Seconds
from chalicelib.services.services import Services


class OrderQuery(Model):
    """managedBy: only if the experiment is this manager's own; a person leaves it out."""

    managed_by: Manager | None = None


class Extension(Model):
    """How much more time."""

    by: Seconds = Field(ge=1, le=90 * 86400)


class CloneRequest(Model):
    """Name of the copy, and its hosts where they are others."""

    name: Annotated[str, Field(pattern=NAME)]
    hosts: tuple[Annotated[str, Field(pattern=NAME)], ...] = Field(default=(), max_length=1000)


class Promote(Model):
    """How to roll the winner out; without: as the spec says."""

    rollout: Rollout | None = None


def routes(services: Services) -> tuple[Route, ...]:
    experiments = services.experiments

    def adopt(request: Request) -> Experiment:
        who = request.principal
        return experiments.adopt(who.tenant, request.params["experiment"], request.body, who.subject)

    def extend(request: Request) -> Experiment:
        who = request.principal
        return experiments.extend(who.tenant, request.params["experiment"], request.body.by, who.subject)

    def clone(request: Request) -> Created:
        who, body = request.principal, request.body
        made, warnings = experiments.clone(
            who.tenant,
            request.params["experiment"],
            body.name,
            body.hosts,
            who.subject,
            start=request.query.start == "true",
        )
        return Created(experiment=made, warnings=warnings)

    def order(cause: Cause) -> Callable[[Request], Experiment]:
        def run(request: Request) -> Experiment:
            who = request.principal
            only = request.query.managed_by
            return experiments.order(who.tenant, request.params["experiment"], cause, who.subject, manager=only)

        return run

    def promote(request: Request) -> Experiment:
        who = request.principal
        return experiments.order(
            who.tenant, request.params["experiment"], Cause.PROMOTE, who.subject, request.body.rollout
        )

    one = "/api/v1/experiments/{experiment}"
    orders = tuple(
        Route(
            "POST",
            f"{one}/{cause.value}",
            Role.OPERATOR,
            order(cause),
            f"{cause.value.capitalize()} an experiment",
            response=Experiment,
            query=OrderQuery,
            errors=(NotFound, Conflict),
        )
        for cause in (Cause.START, Cause.PAUSE, Cause.RESUME, Cause.STOP)
    )
    return (
        *orders,
        Route(
            "POST",
            one + "/promote",
            Role.OPERATOR,
            promote,
            "Promote the winner of an experiment, at once or in stages",
            request=Promote,
            response=Experiment,
            errors=(NotFound, Conflict),
        ),
        Route(
            "POST",
            one + "/adopt",
            Role.OPERATOR,
            adopt,
            "Hand an experiment to another manager, such as a resource of a cluster",
            request=Adoption,
            response=Experiment,
            errors=(NotFound, Conflict),
        ),
        Route(
            "POST",
            one + "/extend",
            Role.OPERATOR,
            extend,
            "Move the deadline of an experiment",
            request=Extension,
            response=Experiment,
            errors=(NotFound, Conflict),
        ),
        Route(
            "POST",
            one + "/clone",
            Role.OPERATOR,
            clone,
            "Create an experiment that asks for the same",
            request=CloneRequest,
            response=Created,
            query=StartQuery,
            status=201,
            errors=(NotFound, Conflict, Rejected),
        ),
    )
