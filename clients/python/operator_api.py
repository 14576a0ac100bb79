"""The steps of the operator API."""

import time

import attrs

from generated.operator import AuthenticatedClient
from generated.operator.api.deliveries import get_delivery, list_deliveries
from generated.operator.api.events import get_event, list_events, publish_event
from generated.operator.api.webhooks import get_webhook, list_webhooks
from generated.operator.models import (
    DeliveryDetail,
    DeliveryList,
    DeliveryState,
    Event,
    EventList,
    Problem,
    Provider,
    PublishedEvent,
    PublishRequest,
    PublishRequestData,
    Webhook,
    WebhookList,
)
from generated.operator.types import UNSET, Response
from step import alter, check, step, typed

KEY = "scenario"


def connect(server: str, key: str = "sandbox-operator", **alterations: str) -> AuthenticatedClient:
    return AuthenticatedClient(f"{server}/operator/v1", key, httpx_args=alter(**alterations))


def operator(server: str) -> None:
    client = connect(server)
    body = PublishRequest(Provider.EQUALS_MONEY, "OrderCreated")

    with step("operator: publish again with the same key, and get the same answer"):
        published = [
            typed(PublishedEvent, publish_event.sync_detailed(client=client, body=body, idempotency_key=KEY), 202)
            for _ in range(2)
        ]
        check(published[0] == published[1])
        event = typed(Event, get_event.sync_detailed(published[0].id, client=client), 200)
        check((event.type_, event.account_id, event.deliveries.pending) == ("OrderCreated", None, 0))
    with step("operator: list events with filters, in pages"):
        typed(PublishedEvent, publish_event.sync_detailed(client=client, body=body), 202)
        found: list[Event] = []
        cursor: str | None = None
        while not found or cursor is not None:
            listed = list_events.sync_detailed(
                client=client,
                provider=Provider.EQUALS_MONEY,
                type_="OrderCreated",
                limit=1,
                cursor=UNSET if cursor is None else cursor,
            )
            page = typed(EventList, listed, 200)
            found += page.data
            cursor = page.next_
        check(len(found) == 2)
    with step("operator: see a delivery and its attempts"):
        deliveries = list_deliveries.sync_detailed(client=client, provider=Provider.CONDUIT, limit=1)
        [delivery] = typed(DeliveryList, deliveries, 200).data
        detail = typed(DeliveryDetail, get_delivery.sync_detailed(str(delivery.id), client=client), 200)
        # The receiver knows before the server has stored it.
        for _ in range(600):
            if detail.state is not DeliveryState.PENDING:
                break
            time.sleep(0.1)
            detail = typed(DeliveryDetail, get_delivery.sync_detailed(str(delivery.id), client=client), 200)
        check((detail.state, [one.status for one in detail.attempts]) == (DeliveryState.DELIVERED, [204]))
    with step("operator: list webhooks with filters, and see one"):
        # Registered by the steps of Conduit.
        webhooks = list_webhooks.sync_detailed(client=client, provider=Provider.CONDUIT, enabled=False)
        [webhook] = typed(WebhookList, webhooks, 200).data
        check((webhook.provider, webhook.types) == (Provider.CONDUIT, ["customer.created"]), webhook)
        same = typed(Webhook, get_webhook.sync_detailed(webhook.id, client=client), 200)
        check((same.url, same.recent.last_failure_error) == (webhook.url, None), same)
    with step("operator: error 400"):
        error = problem(list_events.sync_detailed(client=client, cursor="no cursor"), 400)
        check(error.errors and error.errors[0].pointer == "cursor")
    with step("operator: error 401"):
        problem(list_events.sync_detailed(client=connect(server, "wrong")), 401)
    with step("operator: error 404"):
        problem(get_event.sync_detailed("evt_" + "0" * 27, client=client), 404)
    with step("operator: error 405"):
        problem(list_events.sync_detailed(client=connect(server, method="PUT")), 405)
    with step("operator: error 409"):
        other = attrs.evolve(body, type_="OrderCompleted")
        problem(publish_event.sync_detailed(client=client, body=other, idempotency_key=KEY), 409)
    with step("operator: error 413"):
        large = attrs.evolve(body, data=PublishRequestData.from_dict({"text": "x" * 300_000}))
        problem(publish_event.sync_detailed(client=client, body=large), 413)
    with step("operator: error 415"):
        text = connect(server, content_type="text/plain")
        problem(publish_event.sync_detailed(client=text, body=body), 415)
    with step("operator: error 422"):
        unknown = attrs.evolve(body, type_="NoSuchType")
        error = problem(publish_event.sync_detailed(client=client, body=unknown), 422)
        check(error.errors and error.errors[0].pointer == "/type")


def problem(answer: object, status: int) -> Problem:
    assert isinstance(answer, Response)
    found = typed(Problem, answer, status)
    check((found.status, found.type_) == (status, "about:blank"))
    return found
