"""Hosts: enrolment, list, show, remove; and what a host says of itself."""

from __future__ import annotations

from pydantic import Field

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Public, Role
from chalicelib.domain.errors import Conflict, NotAuthenticated, NotFound
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.fleet.agents import second_of
from chalicelib.domain.fleet.state import AgentState, Assignment, Failure
from chalicelib.domain.fleet.status import away_since
from chalicelib.domain.host import Host, HostFacts, LabelText
from chalicelib.services.services import Services


class EnrolmentRequest(Model):
    """Ask for a one-time token."""

    host: str | None = Field(default=None, pattern=NAME)
    """The only name that may use it; left out: any free name."""


class EnrolmentToken(Model):
    """A one-time token, shown this once."""

    token: str
    expires_at: float


class Exchange(Model):
    """Trade a one-time token for the host's own."""

    token: str = Field(max_length=200)
    host: str = Field(pattern=NAME)
    labels: dict[LabelText, LabelText] = Field(default_factory=dict, max_length=32)


class Enrolled(Model):
    """The host's own token, shown this once."""

    host: str
    token: str


class SecondView(Model):
    """The second collector of a host, which an experiment in dedicated mode runs, from its own reports."""

    connected: bool
    collector_healthy: bool | None
    active_marker: str
    active_scope: str
    desired_marker: str
    quarantine: list[Failure]


class HostView(Model):
    """A host and its collector, from its own reports."""

    name: str
    labels: dict[str, str]
    enrolled_at: float
    connected: bool
    """Heard of lately."""
    last_seen: float | None
    collector_healthy: bool | None
    """None: it has not said."""
    collector_version: str
    collector_error: str
    """The collector's own words, when it is not well."""
    active_marker: str
    """Marker of the configuration that the running collector has proven."""
    active_scope: str
    desired_marker: str
    experiment: str
    deployment: str
    quarantine: list[Failure]
    second: SecondView | None
    """None where there never was one, and in lists."""
    facts: HostFacts
    cluster: str
    """The cluster that it is a node of, "" for none."""
    node: str
    unreachable: str
    """Why a node is away: its cluster is not reached, and since when; "" otherwise."""


def _view(services: Services, tenant: str, host: Host, now: float) -> HostView:
    state = services.fleet.state(tenant, host.name)
    running = _running(state)
    connected = state.last_seen is not None and away_since(state, now, services.fleet.policy) is None
    return HostView(
        name=host.name,
        labels=host.labels,
        enrolled_at=host.enrolled_at,
        connected=connected,
        last_seen=state.last_seen,
        collector_healthy=state.health.healthy if state.health else None,
        collector_version=state.version or host.facts.collector_version,
        collector_error=_error(state, host),
        active_marker=running.marker if running else "",
        active_scope=running.scope if running else "",
        desired_marker=state.desired.marker if state.desired else "",
        experiment=services.hosts.experiment_of(tenant, host.name),
        deployment=services.hosts.deployment_of(tenant, host.name),
        quarantine=list(state.quarantine),
        second=None,
        facts=host.facts,
        cluster=host.cluster,
        node=host.node,
        unreachable="" if connected or not host.cluster else services.absence(tenant, [host.name]).get(host.name, ""),
    )


def _second(services: Services, tenant: str, host: str, now: float) -> SecondView | None:
    state = services.fleet.state(tenant, second_of(host))
    if state == AgentState():
        return None
    running = _running(state)
    return SecondView(
        connected=state.connected and away_since(state, now, services.fleet.policy) is None,
        collector_healthy=state.health.healthy if state.health else None,
        active_marker=running.marker if running else "",
        active_scope=running.scope if running else "",
        desired_marker=state.desired.marker if state.desired else "",
        quarantine=list(state.quarantine),
    )


def _running(state: AgentState) -> Assignment | None:
    """What the running collector has proven."""
    confirmed = state.confirmed
    return confirmed if confirmed and state.effective and state.effective.marker == confirmed.marker else None


def _error(state: AgentState, host: Host) -> str:
    if state.health is None or state.health.healthy:
        return ""
    return host.facts.collector_error.text if host.facts.collector_error else state.health.last_error


def routes(services: Services) -> tuple[Route, ...]:
    hosts = services.hosts

    def invite(request: Request) -> EnrolmentToken:
        who = request.principal
        token, expires = hosts.invite(who.tenant, who.subject, request.body.host or "")
        return EnrolmentToken(token=token, expires_at=expires)

    def exchange(request: Request) -> Enrolled:
        body = request.body
        return Enrolled(host=body.host, token=hosts.enrol(body.token, body.host, body.labels))

    def listing(request: Request) -> PageOf[HostView]:
        tenant = request.principal.tenant
        found, cursor = hosts.page(tenant, request.query.limit, request.query.cursor)
        now = services.clock.now()
        return PageOf[HostView](items=[_view(services, tenant, h, now) for h in found], next_cursor=cursor)

    def show(request: Request) -> HostView:
        tenant = request.principal.tenant
        name, now = request.params["host"], services.clock.now()
        shown = _view(services, tenant, hosts.get(tenant, name), now)
        return shown.model_copy(update={"second": _second(services, tenant, name, now)})

    def remove(request: Request) -> None:
        hosts.remove(request.principal.tenant, request.params["host"], request.principal.subject)

    def report(request: Request) -> None:
        hosts.report(request.principal, request.body)

    path, one = "/api/v1/hosts", "/api/v1/hosts/{host}"
    enrolments = "/api/v1/enrolments"
    trade = "Trade a one-time token for the host's own"
    return (
        Route(
            "POST",
            enrolments,
            Role.OPERATOR,
            invite,
            "Make a one-time enrolment token",
            request=EnrolmentRequest,
            response=EnrolmentToken,
            status=201,
            errors=(Conflict,),
        ),
        Route(
            "POST",
            enrolments + "/exchange",
            Public.ENROLMENT,
            exchange,
            trade,
            request=Exchange,
            response=Enrolled,
            status=201,
            errors=(Conflict, NotAuthenticated),
        ),
        Route("GET", path, Role.VIEWER, listing, "List hosts", response=PageOf[HostView], query=PageQuery),
        Route("GET", one, Role.VIEWER, show, "Show a host", response=HostView, errors=(NotFound,)),
        Route("DELETE", one, Role.OPERATOR, remove, "Remove a host", status=204, errors=(NotFound, Conflict)),
        Route(
            "PUT",
            one + "/status",
            Role.HOST,
            report,
            "What a host says of itself",
            request=HostFacts,
            status=204,
            own="host",
            errors=(NotFound,),
        ),
    )
