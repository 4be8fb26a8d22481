"""Webhooks over HTTP: make, list, show, test, delete; their deliveries, and replay."""

from __future__ import annotations

from chalicelib.api.furniture.route import Model, PageOf, PageQuery, Request, Route
from chalicelib.domain.access import Role
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.notification.delivery import Delivery
from chalicelib.domain.notification.gate import Answer, Asked
from chalicelib.domain.notification.webhook import Webhook, WebhookSpec
from chalicelib.services.services import Services


class WebhookView(Model):
    """A webhook, without its secret."""

    spec: WebhookSpec
    created_at: float
    created_by: str
    disabled: str
    """Why nothing is sent any more, "" while it is."""


class NewWebhook(WebhookView):
    """A new webhook with its signing secret, shown this once."""

    secret: str


def _view(webhook: Webhook) -> dict[str, object]:
    return {
        "spec": webhook.spec,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "disabled": webhook.disabled,
    }


def routes(services: Services) -> tuple[Route, ...]:
    webhooks, deliveries = services.webhooks, services.deliveries

    def create(request: Request) -> NewWebhook:
        made, secret = webhooks.create(request.principal.tenant, request.body, request.principal.subject)
        return NewWebhook.model_validate({**_view(made), "secret": secret})

    def listing(request: Request) -> PageOf[WebhookView]:
        found, cursor = webhooks.page(request.principal.tenant, request.query.limit, request.query.cursor)
        return PageOf[WebhookView](items=[WebhookView.model_validate(_view(w)) for w in found], next_cursor=cursor)

    def show(request: Request) -> WebhookView:
        return WebhookView.model_validate(_view(webhooks.get(request.principal.tenant, request.params["webhook"])))

    def delete(request: Request) -> None:
        webhooks.delete(request.principal.tenant, request.params["webhook"], request.principal.subject)

    def test(request: Request) -> Delivery:
        return webhooks.test(request.principal.tenant, request.params["webhook"], request.principal.subject)

    def sent(request: Request) -> PageOf[Delivery]:
        found, cursor = deliveries.page(
            request.principal.tenant, request.params["webhook"], request.query.limit, request.query.cursor
        )
        return PageOf[Delivery](items=found, next_cursor=cursor)

    def replay(request: Request) -> Delivery:
        who, params = request.principal, request.params
        return deliveries.replay(who.tenant, params["webhook"], params["delivery"], who.subject)

    def gates(request: Request) -> PageOf[Asked]:
        tenant = request.principal.tenant
        found = services.gates.asked(tenant, services.experiments.get(tenant, request.params["experiment"]))
        return PageOf[Asked](items=found)

    def decide(request: Request) -> Asked:
        who, params = request.principal, request.params
        uid = services.experiments.get(who.tenant, params["experiment"]).uid
        return services.gates.answer(who.tenant, uid, params["webhook"], request.body, who.subject)

    path = "/api/v1/webhooks"
    one = path + "/{webhook}"
    missing = (NotFound,)
    return (
        Route("GET", path, Role.VIEWER, listing, "List webhooks", response=PageOf[WebhookView], query=PageQuery),
        Route(
            "POST",
            path,
            Role.ADMIN,
            create,
            "Make a webhook",
            request=WebhookSpec,
            response=NewWebhook,
            status=201,
            errors=(Conflict,),
        ),
        Route("GET", one, Role.VIEWER, show, "Show a webhook", response=WebhookView, errors=missing),
        Route("DELETE", one, Role.ADMIN, delete, "Delete a webhook", status=204, errors=missing),
        Route(
            "POST",
            one + "/test",
            Role.OPERATOR,
            test,
            "Send a test event",
            response=Delivery,
            status=201,
            errors=(NotFound, Conflict),
        ),
        Route(
            "GET",
            one + "/deliveries",
            Role.VIEWER,
            sent,
            "What was sent and what became of it",
            response=PageOf[Delivery],
            query=PageQuery,
            errors=missing,
        ),
        Route(
            "POST",
            one + "/deliveries/{delivery}/replay",
            Role.OPERATOR,
            replay,
            "Send an event once more, under its own id",
            response=Delivery,
            errors=(NotFound, Conflict),
        ),
        Route(
            "GET",
            "/api/v1/experiments/{experiment}/gates",
            Role.VIEWER,
            gates,
            "What gates were asked before a promotion, and said",
            response=PageOf[Asked],
            errors=missing,
        ),
        Route(
            "POST",
            "/api/v1/experiments/{experiment}/gates/{webhook}",
            Role.OPERATOR,
            decide,
            "Answer for a gate",
            request=Answer,
            response=Asked,
            errors=missing,
        ),
    )
