//! For tests: every wire type, with a value that has every member.

use serde_json::{Value, json};

use super::error::{Fault, Problem};
use super::models::{
    Attempt, AttemptDuration, AttemptHeader, CreateKeyRequest, Delivery, DeliveryCounts,
    DeliveryDetail, DeliveryList, DeliveryState, Event, EventList, EventProvider, Key, KeyList,
    KeyProvider, NewKey, NotMatched, OutcomeFilter, PublishRequest, PublishedEvent,
    RecentDeliveries, Replay, ReplayFilter, ReplayRequest, ReplayState, ReplayStatus, Webhook,
    WebhookList,
};
use crate::tests::schemas::{WireType, answer, request};

const UUID: &str = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
const TIME: &str = "2026-01-01T00:00:00.000Z";

pub(crate) fn wire_types() -> Vec<WireType> {
    [
        events(),
        deliveries(),
        webhooks(),
        replays(),
        keys(),
        problems(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn events() -> Vec<WireType> {
    let counts = json!({ "pending": 0, "delivered": 1, "exhausted": 2, "cancelled": 3 });
    let not_matched = json!({ "otherOwner": 1, "otherAccount": 2, "disabled": 3 });
    let event = json!({
        "id": "evt_2ofTA13AD0xBtbEvBl20aEb1hEu", "provider": "conduit", "type": "customer.active", "accountId": "F12345",
        "clientId": CLIENT, "productId": UUID, "data": { "a": 1 }, "createdAt": TIME, "deliveries": counts,
    });
    vec![
        request::<EventProvider>("Provider", json!("equals-money")),
        request::<PublishRequest>(
            "PublishRequest",
            json!({ "provider": "conduit", "type": "customer.active", "clientId": CLIENT, "data": { "a": 1 } }),
        ),
        request::<PublishRequest>(
            "PublishRequest",
            json!({
                "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345", "productId": UUID, "data": {},
            }),
        ),
        answer::<PublishedEvent>(
            "PublishedEvent",
            json!({
                "id": "evt_2ofTA13AD0xBtbEvBl20aEb1hEu", "provider": "conduit", "type": "customer.active",
                "createdAt": TIME, "deliveries": 1, "notMatched": not_matched,
            }),
        ),
        answer::<Event>("Event", event.clone()),
        answer::<DeliveryCounts>("DeliveryCounts", counts),
        answer::<EventList>(
            "EventList",
            json!({ "data": [event], "next": "n", "since": "s" }),
        ),
        answer::<NotMatched>("NotMatched", not_matched),
    ]
}

fn deliveries() -> Vec<WireType> {
    let delivery = json!({
        "id": UUID, "eventId": "evt_2ofTA13AD0xBtbEvBl20aEb1hEu", "webhookId": "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "provider": "conduit", "type": "customer.active", "state": "pending", "attemptCount": 1, "createdAt": TIME,
        "nextAttemptAt": TIME, "completedAt": TIME, "lastAttemptAt": TIME, "lastStatus": 503, "lastError": "e",
    });
    let duration = json!({ "queue": 0.5, "connect": 1.5, "firstByte": 2.5, "total": 3.5 });
    let header = json!({ "name": "n", "value": "v" });
    let attempt = json!({
        "number": 1, "recorded": true, "startedAt": TIME, "durationMs": duration, "requestHeaders": [header],
        "status": 200, "responseHeaders": [header], "responseBody": "b", "responseTruncated": false, "error": "e",
    });
    let mut detail = delivery.clone();
    detail["url"] = json!("https://example.com");
    detail["requestBody"] = json!("{}");
    detail["attempts"] = json!([attempt]);
    vec![
        answer::<DeliveryState>("DeliveryState", json!("exhausted")),
        answer::<OutcomeFilter>("OutcomeFilter", json!("failure")),
        answer::<Delivery>("Delivery", delivery.clone()),
        answer::<DeliveryDetail>("DeliveryDetail", detail),
        answer::<DeliveryList>(
            "DeliveryList",
            json!({ "data": [delivery], "next": Value::Null }),
        ),
        answer::<Attempt>("Attempt", attempt),
        answer::<AttemptDuration>("AttemptDuration", duration),
        answer::<AttemptHeader>("AttemptHeader", header),
    ]
}

fn webhooks() -> Vec<WireType> {
    let recent = json!({
        "deliveries": { "pending": 0, "delivered": 1, "exhausted": 2, "cancelled": 3 }, "lastSuccessAt": TIME,
        "lastFailureAt": TIME, "lastFailureStatus": 503, "lastFailureError": "e",
    });
    let webhook = json!({
        "id": UUID, "provider": "equals-money", "accountId": "F12345", "clientId": CLIENT, "productId": UUID,
        "url": "https://example.com", "types": ["BoxCredited"], "enabled": true, "createdAt": TIME, "updatedAt": TIME,
        "recent": recent,
    });
    vec![
        answer::<RecentDeliveries>("RecentDeliveries", recent),
        answer::<Webhook>("Webhook", webhook.clone()),
        answer::<WebhookList>("WebhookList", json!({ "data": [webhook], "next": "n" })),
    ]
}

fn replays() -> Vec<WireType> {
    let filter = json!({
        "from": TIME, "to": TIME, "webhookId": "whk_2ofTA13AD0xBtbEvBl20aEb1hEu", "provider": "conduit",
        "state": "unmatched",
    });
    let mut wanted = filter.clone();
    wanted["dryRun"] = json!(true);
    vec![
        request::<ReplayState>("ReplayState", json!("unmatched")),
        request::<ReplayRequest>("ReplayRequest", wanted),
        request::<ReplayRequest>(
            "ReplayRequest",
            json!({ "provider": "conduit", "from": TIME }),
        ),
        answer::<ReplayStatus>("ReplayStatus", json!("done")),
        answer::<Replay>(
            "Replay",
            json!({
                "id": "rpl_2ofTA13AD0xBtbEvBl20aEb1hEu", "status": "running", "dryRun": false, "matched": 1,
                "enqueued": 1, "createdAt": TIME, "finishedAt": TIME, "filter": filter,
            }),
        ),
        answer::<ReplayFilter>("ReplayFilter", filter),
    ]
}

fn keys() -> Vec<WireType> {
    let key = json!({
        "id": "key_2ofTA13AD0xBtbEvBl20aEb1hEu", "provider": "conduit", "owner": CLIENT, "name": "n", "createdAt": TIME,
        "revokedAt": TIME,
    });
    let mut new = key.clone();
    new.as_object_mut().unwrap().shift_remove("revokedAt");
    new["headers"] = json!({ "X-API-Key": "k" });
    vec![
        request::<KeyProvider>("KeyProvider", json!("operator")),
        request::<CreateKeyRequest>(
            "CreateKeyRequest",
            json!({ "provider": "conduit", "owner": CLIENT, "name": "n" }),
        ),
        answer::<NewKey>("NewKey", new),
        answer::<Key>("Key", key.clone()),
        answer::<KeyList>("KeyList", json!({ "data": [key] })),
    ]
}

fn problems() -> Vec<WireType> {
    let fault = json!({ "pointer": "/p", "detail": "d" });
    vec![
        answer::<Problem>(
            "Problem",
            json!({ "type": "about:blank", "title": "t", "status": 422, "detail": "d", "errors": [fault] }),
        ),
        answer::<Fault>("Fault", fault),
    ]
}
