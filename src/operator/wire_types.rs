//! For tests: every wire type, with a value that has every member.

use serde_json::{Value, json};

use super::error::{Fault, Problem};
use super::models::{
    Attempt, AttemptDuration, AttemptHeader, CreateKeyRequest, Delivery, DeliveryCounts,
    DeliveryDetail, DeliveryList, DeliveryState, Event, EventList, EventProvider, Key, KeyList,
    KeyProvider, NewKey, PublishRequest, PublishedEvent, Replay, ReplayFilter, ReplayRequest,
    ReplayState, ReplayStatus,
};
use crate::tests::schemas::{WireType, answer, request};

const UUID: &str = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
const TIME: &str = "2026-01-01T00:00:00.000Z";

pub(crate) fn wire_types() -> Vec<WireType> {
    [events(), deliveries(), replays(), keys(), problems()]
        .into_iter()
        .flatten()
        .collect()
}

fn events() -> Vec<WireType> {
    let counts = json!({ "pending": 0, "delivered": 1, "exhausted": 2, "cancelled": 3 });
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
                "createdAt": TIME, "deliveries": 1,
            }),
        ),
        answer::<Event>("Event", event.clone()),
        answer::<DeliveryCounts>("DeliveryCounts", counts),
        answer::<EventList>("EventList", json!({ "data": [event], "next": "n" })),
    ]
}

fn deliveries() -> Vec<WireType> {
    let delivery = json!({
        "id": UUID, "eventId": "evt_2ofTA13AD0xBtbEvBl20aEb1hEu", "webhookId": "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "provider": "conduit", "type": "customer.active", "state": "pending", "attemptCount": 1, "createdAt": TIME,
        "nextAttemptAt": TIME, "completedAt": TIME,
    });
    let duration = json!({ "queue": 0.5, "connect": 1.5, "firstByte": 2.5, "total": 3.5 });
    let header = json!({ "name": "n", "value": "v" });
    let attempt = json!({
        "number": 1, "recorded": true, "startedAt": TIME, "durationMs": duration, "requestHeaders": [header],
        "status": 200, "responseBody": "b", "responseTruncated": false, "error": "e",
    });
    let mut detail = delivery.clone();
    detail["url"] = json!("https://example.com");
    detail["attempts"] = json!([attempt]);
    vec![
        answer::<DeliveryState>("DeliveryState", json!("exhausted")),
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
