"""Deployments over HTTP: deploy, list, status, active configuration, roll back, delete."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.deployment import Deployment, DeploymentPlan, DeploymentVersion
from chalicelib.domain.errors import Conflict, NotFound, Rejected
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.fleet.status import HostConfigStatus
from chalicelib.services.services import Services


class DeployRequest(Model):
    """What to run, and where. Hosts may be left out for a new version of an existing deployment."""

    name: str = Field(pattern=NAME)
    hosts: tuple[Annotated[str, Field(pattern=NAME)], ...] = ()
    plan: DeploymentPlan
    force: bool = False
    """Offer it although it failed on a host before."""


class RollbackRequest(Model):
    """Which version to go back to; left out: the one before the current one."""

    version: int | None = Field(default=None, ge=1)


class DeploymentView(Model):
    """A deployment; `status` is what its hosts reported, nothing else."""

    name: str
    current: int
    pipeline: str
    """The current version in words."""
    settled: bool
    status: dict[str, HostConfigStatus]
    versions: list[DeploymentVersion]


class ActiveConfig(Model):
    """What a host's collector says it runs, secrets masked."""

    host: str
    marker: str
    """Equal to `expected` when it is the current version that runs."""
    expected: str
    reported_at: float
    config: dict[str, Any]
    omitted: str
    """Why `config` is not shown, empty when it is."""


class ActiveConfigs(Model):
    """One per host that reported."""

    items: list[ActiveConfig]
    missing: list[str]
    """Hosts whose collector has not said what it runs."""


def routes(services: Services) -> tuple[Route, ...]:
    deployments = services.deployments

    def view(tenant: str, deployment: Deployment) -> DeploymentView:
        version = deployment.version(deployment.current)
        return DeploymentView(
            name=deployment.name,
            current=deployment.current,
            pipeline=version.plan.label() if version else "",
            settled=deployment.settled,
            status=deployments.statuses(tenant, deployment),
            versions=list(deployment.versions),
        )

    def listing(request: Request) -> PageOf[DeploymentView]:
        tenant = request.principal.tenant
        found, cursor = deployments.page(tenant, request.query.limit, request.query.cursor)
        return PageOf[DeploymentView](items=[view(tenant, d) for d in found], next_cursor=cursor)

    def deploy(request: Request) -> DeploymentView:
        who, body = request.principal, request.body
        made = deployments.deploy(who.tenant, body.name, body.plan, body.hosts, who.subject, force=body.force)
        return view(who.tenant, made)

    def show(request: Request) -> DeploymentView:
        tenant = request.principal.tenant
        return view(tenant, deployments.get(tenant, request.params["deployment"]))

    def active(request: Request) -> ActiveConfigs:
        tenant = request.principal.tenant
        deployment = deployments.get(tenant, request.params["deployment"])
        status = deployments.statuses(tenant, deployment)
        found = {host: deployments.active_config(tenant, host) for host in deployment.hosts}
        items = [
            ActiveConfig(
                host=h,
                marker=c.marker,
                expected=status[h].marker,
                reported_at=c.at,
                config=c.config,
                omitted=c.omitted,
            )
            for h, c in found.items()
            if c is not None
        ]
        return ActiveConfigs(items=items, missing=[host for host, config in found.items() if config is None])

    def rollback(request: Request) -> DeploymentView:
        who = request.principal
        name = request.params["deployment"]
        return view(who.tenant, deployments.rollback(who.tenant, name, who.subject, request.body.version))

    def delete(request: Request) -> None:
        deployments.delete(request.principal.tenant, request.params["deployment"], request.principal.subject)

    path = "/api/v1/deployments"
    one = path + "/{deployment}"
    return (
        Route("GET", path, Role.VIEWER, listing, "List deployments", response=PageOf[DeploymentView], query=PageQuery),
        Route(
            "POST",
            path,
            Role.OPERATOR,
            deploy,
            "Deploy a pipeline, or a new version of a deployment",
            request=DeployRequest,
            response=DeploymentView,
            status=201,
            errors=(NotFound, Conflict, Rejected),
        ),
        Route("GET", one, Role.VIEWER, show, "Show a deployment", response=DeploymentView, errors=(NotFound,)),
        Route(
            "GET",
            one + "/active-config",
            Role.VIEWER,
            active,
            "What its collectors say they run",
            response=ActiveConfigs,
            errors=(NotFound,),
        ),
        Route(
            "POST",
            one + "/rollback",
            Role.OPERATOR,
            rollback,
            "Go back to an earlier version",
            request=RollbackRequest,
            response=DeploymentView,
            errors=(NotFound, Conflict, Rejected),
        ),
        Route("DELETE", one, Role.OPERATOR, delete, "Delete a deployment", status=204, errors=(NotFound, Conflict)),
    )
