"""The steps of Equals Money."""

import json
from uuid import UUID

import attrs

from generated.equals_money import AuthenticatedClient
from generated.equals_money.api.webhooks import (
    create_webhook,
    delete_webhook,
    find_all_webhook_event_types,
    find_all_webhooks,
    find_one_webhook,
    find_one_webhook_event_type,
    update_webhook,
)
from generated.equals_money.models import (
    CreateWebhookRequest,
    ErrorResponse,
    FindAllWebhooksEnabled,
    Notification,
    UpdateWebhookRequest,
    Webhook,
    WebhookEventType,
    WebhookEventTypeName,
    WebhookList,
)
from generated.operator import AuthenticatedClient as OperatorClient
from generated.operator.api.events import publish_event
from generated.operator.models import Provider, PublishedEvent, PublishRequest, PublishRequestData
from step import Receiver, alter, check, step, typed
from verify import verify_equals_money

SECRET = "123e4567-e89b-12d3-a456-426614174000"


def connect(server: str, key: str = "sandbox-key", scheme: str = "ApiKey", **alterations: str) -> AuthenticatedClient:
    return AuthenticatedClient(f"{server}/equals-money", key, prefix=scheme, httpx_args=alter(**alterations))


def equals_money(server: str, limited_server: str) -> None:
    client = connect(server)
    receiver = Receiver()
    wanted = CreateWebhookRequest(
        url=receiver.url,
        enabled=True,
        webhook_event_type_name=WebhookEventTypeName.BOXCREDITED,
        account_id="F12345",
        shared_secret=SECRET,
        authorization_header="Basic x",
    )

    with step("equals-money: look event types up"):
        answer = find_all_webhook_event_types.sync_detailed(client=client)
        types = answer.parsed
        assert isinstance(types, list)
        box_credited = next(one for one in types if one.name == "BoxCredited")
        found = find_one_webhook_event_type.sync_detailed(box_credited.id, client=client)
        check(typed(WebhookEventType, found, 200) == box_credited and box_credited.enabled)
    with step("equals-money: create a webhook, and read it"):
        created = typed(Webhook, create_webhook.sync_detailed(client=client, body=wanted), 201)
        webhook = typed(Webhook, find_one_webhook.sync_detailed(created.id, client=client), 200)
        check((webhook.account_id, webhook.shared_secret, webhook.enabled) == ("F12345", SECRET, True))
    with step("equals-money: receive an event, and verify its signature"):
        operator = OperatorClient(f"{server}/operator/v1", "sandbox-operator")
        data = PublishRequestData.from_dict({"amount": 12.5})
        event = PublishRequest(Provider.EQUALS_MONEY, "BoxCredited", account_id="F12345", data=data)
        check(typed(PublishedEvent, publish_event.sync_detailed(client=operator, body=event), 202).deliveries == 1)
        headers, body = receiver.next()
        verify_equals_money(SECRET, headers["x-em-signature"], body)
        check(headers["authorization"] == "Basic x")
        check(Notification.from_dict(json.loads(body)).body.webhook_event_type_name == "BoxCredited")
    with step("equals-money: list webhooks with filters, in pages"):
        for other in (
            attrs.evolve(wanted, enabled=False, account_id=None),
            attrs.evolve(wanted, webhook_event_type_name=WebhookEventTypeName.BOXDEBITED),
        ):
            typed(Webhook, create_webhook.sync_detailed(client=client, body=other), 201)
        first = typed(WebhookList, find_all_webhooks.sync_detailed(client=client, limit=2, offset=0), 200)
        second = typed(WebhookList, find_all_webhooks.sync_detailed(client=client, limit=2, offset=2), 200)
        check((first.count, len(first.rows), len(second.rows)) == (3, 2, 1))
        named = find_all_webhooks.sync_detailed(
            client=client, webhook_event_type_name="BoxCredited", enabled=FindAllWebhooksEnabled.TRUE, account_id="F12345"
        )
        check([row.id for row in typed(WebhookList, named, 200).rows] == [webhook.id])
    with step("equals-money: update the webhook"):
        changes = UpdateWebhookRequest(enabled=False, shared_secret=None)
        changed = typed(Webhook, update_webhook.sync_detailed(webhook.id, client=client, body=changes), 200)
        check((changed.enabled, changed.shared_secret, changed.authorization_header) == (False, None, "Basic x"))
    with step("equals-money: error 400"):
        refused = create_webhook.sync_detailed(client=client, body=attrs.evolve(wanted, url="ftp://x"))
        error = typed(ErrorResponse, refused, 400)
        check((error.status_code, error.details[0].pointer) == (400, "/url"))
    with step("equals-money: error 401"):
        check_error(find_all_webhooks.sync_detailed(client=connect(server, scheme="Other")), 401)
    with step("equals-money: error 403"):
        check_error(find_all_webhooks.sync_detailed(client=connect(server, "wrong")), 403)
    with step("equals-money: error 404"):
        unknown = UUID("00000000-0000-4000-8000-000000000000")
        check_error(find_one_webhook.sync_detailed(unknown, client=client), 404)
    with step("equals-money: error 405"):
        check_error(find_one_webhook.sync_detailed(webhook.id, client=connect(server, method="PUT")), 405)
    with step("equals-money: error 413"):
        large = attrs.evolve(wanted, url="https://example.com/" + "x" * 300_000)
        check_error(create_webhook.sync_detailed(client=client, body=large), 413)
    with step("equals-money: error 415"):
        text = connect(server, content_type="text/plain")
        check_error(create_webhook.sync_detailed(client=text, body=wanted), 415)
    with step("equals-money: error 429"):
        limited = connect(limited_server)
        listed = find_all_webhooks.sync_detailed(client=limited)
        for _ in range(50):
            if listed.status_code == 429:
                break
            listed = find_all_webhooks.sync_detailed(client=limited)
        check_error(listed, 429)
        check(listed.headers["Retry-After"].isdigit())
    with step("equals-money: delete the webhook"):
        check(delete_webhook.sync_detailed(webhook.id, client=client).status_code == 204)
        check_error(find_one_webhook.sync_detailed(webhook.id, client=client), 404)
    receiver.stop()


def check_error(answer: object, status: int) -> None:
    from generated.equals_money.types import Response

    assert isinstance(answer, Response)
    check(typed(ErrorResponse, answer, status).status_code == status)
