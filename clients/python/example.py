import json
from collections.abc import Mapping

from generated.conduit import AuthenticatedClient
from generated.conduit.api.webhooks import create_webhook, get_webhook
from generated.conduit.models import CreateWebhookRequest, RetrievedWebhook, TransactionNotification, Webhook
from generated.conduit.models import WebhookEvent, WebhookStatus
from verify import verify_conduit


def register(server: str, url: str) -> RetrievedWebhook:
    """Registers `url` at `server`, such as http://127.0.0.1:8080; the answer has the secret."""
    client = AuthenticatedClient(
        f"{server}/conduit", "sandbox-key", prefix="", auth_header_name="X-API-Key", headers={"X-API-Secret": "sandbox-secret"}
    )
    wanted = CreateWebhookRequest(url=url, status=WebhookStatus.ENABLED, events=[WebhookEvent.TRANSACTION_COMPLETED])
    created = create_webhook.sync(client=client, body=wanted)
    if not isinstance(created, Webhook):
        raise RuntimeError(created)
    read = get_webhook.sync(created.id, client=client)
    if not isinstance(read, RetrievedWebhook):
        raise RuntimeError(read)
    return read


def receive(secret: str, headers: Mapping[str, str], body: bytes) -> TransactionNotification:
    """What arrives there, with the body as it came; raises a `SignatureError`."""
    verify_conduit(secret, headers.get("conduit-signature"), headers.get("conduit-signature-timestamp"), body)
    return TransactionNotification.from_dict(json.loads(body))
