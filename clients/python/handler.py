"""Receives webhooks: verified, typed, each once. Copy this file with `verify.py`; it needs FastAPI."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from generated.conduit.models import CounterpartyNotification, CustomerNotification, TransactionNotification
from generated.equals_money.models import Notification
from verify import SignatureError, verify_conduit, verify_equals_money


@dataclass(frozen=True)
class Unknown:
    """An event of a type that is newer than this file, or that does not fit its type. Keep it, and answer 2xx all the same."""

    type: str
    body: bytes


Event = CounterpartyNotification | CustomerNotification | TransactionNotification | Notification | Unknown
"""One class for each kind of event; tell them apart with `match`."""

CONDUIT: dict[str, Callable[[Any], Event]] = {
    "counterparty": CounterpartyNotification.from_dict,
    "customer": CustomerNotification.from_dict,
    "transaction": TransactionNotification.from_dict,
}


def parse_conduit(body: bytes) -> Event:
    """Reads an event of Conduit; raises a `ValueError` if the body is none."""
    event = _members(_json(body)).get("event")
    if not isinstance(event, str):
        raise ValueError("the body is not an event")
    return _typed(event, body, CONDUIT.get(event.partition(".")[0]))


def parse_equals_money(body: bytes) -> tuple[Event, str]:
    """Reads an event of Equals Money, and its id; raises a `ValueError` if the body is none."""
    inner = _members(_members(_json(body)).get("body"))
    name, message = inner.get("webhookEventTypeName"), inner.get("messageId")
    if not isinstance(name, str) or not isinstance(message, str):
        raise ValueError("the body is not an event")
    return _typed(name, body, Notification.from_dict), message


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


def _members(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("the body is not an event")
    return value


def _typed(name: str, body: bytes, read: Callable[[Any], Event] | None) -> Event:
    try:
        return read(json.loads(body)) if read else Unknown(name, body)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unknown(name, body)


def router(secrets: dict[str, str], once: Callable[[str, Event], None]) -> APIRouter:
    """Routes for the deliveries of both providers.

    `once` handles an event unless it did before with the same id: keep the ids in the database, under a unique key, in the transaction
    that does the work.
    """
    routes = APIRouter()

    @routes.post("/conduit", status_code=204)
    async def conduit(request: Request) -> Response:
        body, headers = await request.body(), request.headers
        try:
            verify_conduit(
                secrets["conduit"], headers.get("conduit-signature"), headers.get("conduit-signature-timestamp"), body
            )
            event = parse_conduit(body)
        except (SignatureError, ValueError) as error:
            raise HTTPException(400, str(error)) from None
        once(headers.get("conduit-webhook-idempotency-key", ""), event)
        return Response(status_code=204)

    @routes.post("/equals-money", status_code=204)
    async def equals_money(request: Request) -> Response:
        body = await request.body()
        try:
            verify_equals_money(secrets["equals-money"], request.headers.get("x-em-signature"), body)
            event, message = parse_equals_money(body)
        except (SignatureError, ValueError) as error:
            raise HTTPException(400, str(error)) from None
        once(message, event)
        return Response(status_code=204)

    return routes
