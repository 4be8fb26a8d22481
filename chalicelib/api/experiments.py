"""Experiments over HTTP: create, list, show, command, evaluation, configurations, audit, delete."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Repeated, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.audit import AuditRecord
from chalicelib.domain.errors import Conflict, NotFound, Rejected
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.managing import Manager
from chalicelib.domain.experiment.spec import ExperimentManifest
from chalicelib.domain.experiment.state import Experiment
from chalicelib.services.services import Services


class StartQuery(Model):
    """start: begin at once instead of leaving a draft."""

    start: Literal["true", "false"] = "false"


class CreateQuery(StartQuery):
    """managedBy: what makes and follows it, such as a resource of a cluster. Asked for once more by the same manager
    with the same spec, the answer is the experiment that there is."""

    managed_by: Manager = ""


class Created(Model):
    """A new experiment, and what is legal in it but probably not meant."""

    experiment: Experiment
    warnings: list[str] = Field(default_factory=list)


class ArmConfigs(Model):
    """Each arm as a configuration that a stock collector runs as it is."""

    baseline: dict[str, Any]
    candidate: dict[str, Any]


def routes(services: Services) -> tuple[Route, ...]:
    experiments = services.experiments

    def create(request: Request) -> Created | Repeated:
        who, manager = request.principal, request.query.managed_by
        if manager and (found := experiments.made_before(who.tenant, request.body, manager)):
            return Repeated(Created(experiment=found))
        start = request.query.start == "true"
        made, warnings = experiments.create(who.tenant, request.body, who.subject, start=start, manager=manager)
        return Created(experiment=made, warnings=warnings)

    def listing(request: Request) -> PageOf[Experiment]:
        found, cursor = experiments.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[Experiment](items=found, next_cursor=cursor)

    def show(request: Request) -> Experiment:
        return experiments.get(request.principal.tenant, request.params["experiment"])

    def evaluation(request: Request) -> Evaluation:
        return experiments.evaluation(request.principal.tenant, request.params["experiment"])

    def configs(request: Request) -> ArmConfigs:
        tenant = request.principal.tenant
        spec = experiments.get(tenant, request.params["experiment"]).spec
        render = services.pipelines.rendered
        return ArmConfigs(
            baseline=render(tenant, spec.baseline, spec.critical, spec.interval, spec.baseline.backend),
            candidate=render(tenant, spec.candidate, spec.critical, spec.interval, spec.candidate.backend),
        )

    def audit(request: Request) -> PageOf[AuditRecord]:
        tenant = request.principal.tenant
        uid = experiments.get(tenant, request.params["experiment"]).uid
        return PageOf[AuditRecord](items=services.audit.chain(tenant, f"experiment:{uid}"))

    def delete(request: Request) -> None:
        experiments.delete(request.principal.tenant, request.params["experiment"], request.principal.subject)

    path = "/api/v1/experiments"
    one = path + "/{experiment}"
    missing = (NotFound,)
    return (
        Route("GET", path, Role.VIEWER, listing, "List experiments", response=PageOf[Experiment], query=PageQuery),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            create,
            "Create an experiment",
            request=ExperimentManifest,
            response=Created,
            query=CreateQuery,
            status=201,
            repeatable=True,
            errors=(Conflict, Rejected),
        ),
        Route("GET", one, Role.VIEWER, show, "Show an experiment", response=Experiment, errors=missing),
        Route(
            "DELETE", one, Role.OPERATOR, delete, "Forget an ended experiment", status=204, errors=(NotFound, Conflict)
        ),
        Route(
            "GET",
            one + "/evaluation",
            Role.VIEWER,
            evaluation,
            "The latest evaluation with its evidence",
            response=Evaluation,
            errors=missing,
        ),
        Route("GET", one + "/configs", Role.VIEWER, configs, "Both arms", response=ArmConfigs, errors=missing),
        Route("GET", one + "/audit", Role.VIEWER, audit, "Who did what", response=PageOf[AuditRecord], errors=missing),
    )
