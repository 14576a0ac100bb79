"""The steps of Conduit."""

from example import receive, register
from generated.conduit import AuthenticatedClient
from generated.conduit.api.webhooks import create_webhook, delete_webhook, get_webhook, list_webhooks, patch_webhook
from generated.conduit.models import (
    BadRequestErrorResponse,
    CreateWebhookRequest,
    ErrorResponse,
    PatchWebhookRequest,
    RetrievedWebhook,
    TransactionStatus,
    Webhook,
    WebhookEvent,
    WebhookList,
    WebhookStatus,
)
from generated.conduit.types import UNSET
from generated.operator import AuthenticatedClient as OperatorClient
from generated.operator.api.events import publish_event
from generated.operator.models import Provider, PublishedEvent, PublishRequest
from step import Receiver, alter, check, step, typed


def connect(server: str, secret: str = "sandbox-secret", **alterations: str) -> AuthenticatedClient:
    return AuthenticatedClient(
        f"{server}/conduit",
        token="sandbox-key",
        prefix="",
        auth_header_name="X-API-Key",
        headers={"X-API-Secret": secret},
        httpx_args=alter(**alterations),
    )


def conduit(server: str) -> None:
    receiver = Receiver()
    webhook = register_and_receive(server, receiver)
    client = connect(server)

    def wanted(url: str = receiver.url) -> CreateWebhookRequest:
        return CreateWebhookRequest(url=url, status=WebhookStatus.DISABLED, events=[WebhookEvent.CUSTOMER_CREATED])

    with step("conduit: list webhooks in pages"):
        other = typed(Webhook, create_webhook.sync_detailed(client=client, body=wanted()), 201)
        ids: list[str] = []
        after: str | None = None
        while not ids or after is not None:
            cursor = UNSET if after is None else after
            page = typed(WebhookList, list_webhooks.sync_detailed(client=client, pagesize=1, pageafter=cursor), 200)
            check(len(page.data) == 1)
            ids += [one.id for one in page.data]
            after = page.pagination.next_
        check(ids == [webhook.id, other.id], ids)
    with step("conduit: update the webhook"):
        changes = PatchWebhookRequest(status=WebhookStatus.DISABLED)
        changed = typed(Webhook, patch_webhook.sync_detailed(webhook.id, client=client, body=changes), 200)
        check((changed.id, changed.status, changed.events) == (webhook.id, WebhookStatus.DISABLED, webhook.events))
    with step("conduit: error 400"):
        answer = create_webhook.sync_detailed(client=client, body=wanted("ftp://x"))
        check(typed(BadRequestErrorResponse, answer, 400).errors[0].pointer == "/url")
    with step("conduit: error 401"):
        check(typed(ErrorResponse, list_webhooks.sync_detailed(client=connect(server, "wrong")), 401).title)
    with step("conduit: error 404"):
        check(typed(ErrorResponse, get_webhook.sync_detailed("whk_" + "0" * 27, client=client), 404).title)
    with step("conduit: error 405"):
        refused = get_webhook.sync_detailed(webhook.id, client=connect(server, method="PUT"))
        check(typed(ErrorResponse, refused, 405).title)
        check("PATCH" in refused.headers["Allow"])
    with step("conduit: error 413"):
        answer = create_webhook.sync_detailed(client=client, body=wanted("https://example.com/" + "x" * 300_000))
        check(typed(ErrorResponse, answer, 413).title)
    with step("conduit: error 415"):
        answer = create_webhook.sync_detailed(client=connect(server, content_type="text/plain"), body=wanted())
        check(typed(ErrorResponse, answer, 415).title)
    with step("conduit: delete the webhook"):
        check(delete_webhook.sync_detailed(webhook.id, client=client).status_code == 204)
        typed(ErrorResponse, get_webhook.sync_detailed(webhook.id, client=client), 404)
    receiver.stop()


def register_and_receive(server: str, receiver: Receiver) -> RetrievedWebhook:
    """Registers a webhook, publishes an event and receives it."""
    events = [WebhookEvent.TRANSACTION_COMPLETED]
    with step("conduit: create a webhook, and read it with its secret"):
        webhook = register(server, receiver.url)
        check((webhook.url, webhook.status, webhook.events) == (receiver.url, WebhookStatus.ENABLED, events))
        assert isinstance(webhook.secret, str)
    with step("conduit: receive an event, and verify its signature"):
        operator = OperatorClient(f"{server}/operator/v1", "sandbox-operator")
        event = PublishRequest(Provider.CONDUIT, "transaction.completed", client_id="client_2ofTA13AD0xBtbEvBl20aEb1hEu")
        check(typed(PublishedEvent, publish_event.sync_detailed(client=operator, body=event), 202).deliveries == 1)
        headers, body = receiver.next()
        notification = receive(webhook.secret, dict(headers.items()), body)
        check(notification.event is WebhookEvent.TRANSACTION_COMPLETED)
        check(notification.data.transaction.status is TransactionStatus.COMPLETED)
    return webhook
