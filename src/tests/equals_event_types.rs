//! Tests of the event-type catalogue of Equals Money: the list, the single entry and what the contested ids mean.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::app::{Client, TestApp};
use super::shape::{
    assert_equals_error, assert_equals_refused, assert_uuid_v4, assert_whole_second, create_equals,
    encode, equals_body, expect, expect_one_of, list_equals, member_names, sound, with, without,
};

/// The date of entries without a documented one.
const SAMPLE_DATE: &str = "2023-01-30T08:30:00.000Z";

/// The catalogue: name, id, createdAt, updatedAt, and whether the id is ours.
const CATALOGUE: [(&str, &str, &str, &str, bool); 31] = [
    (
        "3DSAuthRequest",
        "2704f4e3-7790-43a0-905c-e0a6aaf89cdd",
        "2023-04-14T15:08:58.000Z",
        "2023-04-19T09:11:10.000Z",
        false,
    ),
    (
        "AccountActivated",
        "a4dcc403-41aa-4f2e-acf6-32dbaec78e72",
        "2023-04-04T10:02:56.000Z",
        "2023-04-04T10:02:56.000Z",
        false,
    ),
    (
        "AccountCreated",
        "7e71bf60-40f3-489f-bd09-e03035d5cd0a",
        "2023-03-29T12:46:41.000Z",
        "2023-03-29T12:46:41.000Z",
        false,
    ),
    (
        "AccountStatusUpdated",
        "dd9043c6-9eeb-45a6-8e1d-a7e0db5675cd",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "ApplicationStatusUpdated",
        "05d99ff1-a223-43ba-a852-74fcea4fd9fc",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "BoxCreditPending",
        "0ee061e6-6c34-4d74-a7b2-afba6dcb1442",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "BoxCredited",
        "25d5b682-7449-4d07-b6fc-7c9bf1239561",
        "2022-10-26T12:31:47.000Z",
        "2022-10-26T12:31:47.000Z",
        false,
    ),
    (
        "BoxDebited",
        "fc05160e-0f0c-44e0-87a8-e2f093b09ff4",
        "2022-12-22T11:24:39.000Z",
        "2022-12-22T11:24:39.000Z",
        false,
    ),
    (
        "CardStateUpdated",
        "a1920089-8cdd-404d-b1aa-624bc4170b40",
        "2023-10-18T15:17:40.000Z",
        "2023-10-18T15:17:40.000Z",
        false,
    ),
    (
        "CardTransaction",
        "da153b21-9c8d-46d2-8911-83c6da10655a",
        "2023-03-14T12:06:10.000Z",
        "2023-05-16T10:48:23.000Z",
        false,
    ),
    (
        "DigitalWalletTokenTransition",
        "c1a5f01c-67e4-48e5-8cd3-5866b6aa8c85",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "FeeCreated",
        "b5af8772-a4a8-4296-b63a-e38744f07bfe",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "IdentityVerificationRequest",
        "352621eb-35ab-4867-aced-586376141890",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "KybInformationRequested",
        "8fb0d47d-e916-496d-8930-118375e34f71",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "KycInformationRequest",
        "a29521f8-0cee-4563-afa3-e9ceaad20eaa",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "KycInformationRequested",
        "d6aecfb6-53e6-4869-a535-6e4dfcd70893",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "KycUpdate",
        "b5dcc403-41aa-4f2e-acf6-32dbaec78f7a",
        "2023-04-04T10:02:56.000Z",
        "2023-04-04T10:02:56.000Z",
        false,
    ),
    (
        "OrderCancelled",
        "06e852d1-fcd5-43e6-babe-65a06a43266b",
        "2022-10-26T12:31:47.000Z",
        "2022-10-26T12:31:47.000Z",
        false,
    ),
    (
        "OrderCompleted",
        "4649fed2-1b40-4d8b-b947-bd0e60a2c2e5",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "OrderCreated",
        "7c9885b8-7284-4d91-affd-f3c4a39a4b49",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "PaymentBatchCancelled",
        "ed6dfe0e-6cf2-43d5-9f35-aebf873f4e97",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentBatchCompleted",
        "ed6dfe0e-6cf2-43d5-9f35-aebf463f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentBatchCreated",
        "0a574a97-aa7f-482e-b240-727dd1db1c27",
        SAMPLE_DATE,
        SAMPLE_DATE,
        true,
    ),
    (
        "PaymentBatchOrderCancelled",
        "ed6dfe0e-6cf2-43d5-9f35-aebf693f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentBatchOrderCreated",
        "ed6dfe0e-6cf2-43d5-9f35-aebf413f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentBatchProcessing",
        "ed6dfe0e-6cf2-43d5-9f35-aebf233f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentCreated",
        "ed6dfe0e-6cf2-43d5-9f35-aebf873f4e87",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PaymentReturned",
        "ed6dfe0e-6cf2-43d5-9f35-aebf873f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "PersonCreated",
        "b5dcc403-41aa-4f2e-acf6-32dbaec77a72",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "RecipientCreated",
        "64b18e0e-4561-4509-ad35-ecc8d342d291",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
    (
        "RecipientDeleted",
        "ed6dfe0e-6cf2-43d5-9f35-aebf865f4e77",
        SAMPLE_DATE,
        SAMPLE_DATE,
        false,
    ),
];

/// The 13 names that the create page allows.
const SOURCE_NAMES: [&str; 13] = [
    "AccountCreated",
    "AccountActivated",
    "RecipientCreated",
    "RecipientDeleted",
    "BoxCredited",
    "BoxDebited",
    "OrderCreated",
    "OrderCompleted",
    "OrderCancelled",
    "FeeCreated",
    "3DSAuthRequest",
    "CardTransaction",
    "DigitalWalletTokenTransition",
];

async fn list_event_types(client: &Client, query: &str) -> Value {
    expect(
        client
            .get(&format!("/v2/webhooks/event-types{query}"))
            .await,
        200,
    )
    .json()
}

/// E-1, E-41, E-42, E-43, E-45, E-46: the list is a bare array with exactly the 31 entries of the catalogue.
#[actix_web::test]
async fn the_list_has_the_31_entries_of_the_catalogue() {
    let app = TestApp::start().await;
    let list = list_event_types(&app.equals(), "").await;
    let entries = list.as_array().expect("a bare array");
    let wanted: Vec<Value> = CATALOGUE
        .iter()
        .map(|(name, id, created, updated, _)| json!({ "id": id, "name": name, "enabled": true, "createdAt": created, "updatedAt": updated }))
        .collect();
    for (entry, wanted) in entries.iter().zip(&wanted) {
        assert_eq!(entry, wanted);
        assert_eq!(
            member_names(entry),
            ["id", "name", "enabled", "createdAt", "updatedAt"]
        );
        assert_whole_second(&entry["createdAt"]);
        assert_whole_second(&entry["updatedAt"]);
    }
    assert_eq!(entries.len(), 31);
}

/// E-47: the list is ordered by name, by code point.
#[actix_web::test]
async fn the_list_is_ordered_by_name() {
    let app = TestApp::start().await;
    let list = list_event_types(&app.equals(), "").await;
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.first(), Some(&"3DSAuthRequest"));
}

/// E-41, E-43, E-48: names and ids are unique, our own ids are version-4 UUIDs, and the renamed types are two entries.
#[actix_web::test]
async fn names_and_ids_are_unique() {
    let app = TestApp::start().await;
    let list = list_event_types(&app.equals(), "").await;
    let of = |member: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|entry| entry[member].as_str().unwrap().to_owned())
            .collect::<HashSet<_>>()
    };
    assert_eq!(of("name").len(), 31);
    assert_eq!(of("id").len(), 31);
    for (name, id, ..) in CATALOGUE.iter().filter(|entry| entry.4) {
        assert_uuid_v4(id);
        assert!(of("id").contains(*id), "{name}");
    }
    for name in ["KycInformationRequest", "KycInformationRequested"] {
        assert!(of("name").contains(name));
    }
    for name in ["IdentityVerificationRequested", "KybInformationRequest"] {
        assert!(!of("name").contains(name));
    }
}

/// E-41, E-45: each entry can be read by its id, and a webhook created for it by name and by id.
#[actix_web::test]
async fn every_entry_can_be_read_and_used() {
    let app = TestApp::start().await;
    for (name, id, created, updated, _) in CATALOGUE {
        let answer = expect(
            app.equals()
                .get(&format!("/v2/webhooks/event-types/{id}"))
                .await,
            200,
        );
        assert_eq!(
            answer.keys(),
            ["id", "name", "enabled", "createdAt", "updatedAt"]
        );
        assert_eq!(
            answer.json(),
            json!({ "id": id, "name": name, "enabled": true, "createdAt": created, "updatedAt": updated })
        );

        let by_name = create_equals(
            &app.equals(),
            with(&equals_body(), "webhookEventTypeName", name),
        )
        .await;
        let by_id = create_equals(
            &app.equals(),
            with(
                &without(&equals_body(), "webhookEventTypeName"),
                "webhookEventTypeId",
                id,
            ),
        )
        .await;
        for webhook in [by_name, by_id] {
            assert_eq!(webhook["webhookEventTypeName"], name);
            assert_eq!(webhook["webhookEventTypeId"], id);
        }
    }
    assert_eq!(list_equals(&app.equals(), "").await["count"], 62);
}

/// E-45: the 13 names of the create page are all in the catalogue and enabled.
#[actix_web::test]
async fn the_names_of_the_create_page_are_enabled() {
    let app = TestApp::start().await;
    let list = list_event_types(&app.equals(), "").await;
    for name in SOURCE_NAMES {
        let entry = list
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == name);
        assert_eq!(entry.unwrap_or_else(|| panic!("{name}"))["enabled"], true);
    }
}

/// E-44: the contested ids mean one type or none.
#[actix_web::test]
async fn contested_ids_mean_one_type_or_none() {
    let app = TestApp::start().await;
    let client = app.equals();
    let kept = [
        ("06e852d1-fcd5-43e6-babe-65a06a43266b", "OrderCancelled"),
        ("ed6dfe0e-6cf2-43d5-9f35-aebf873f4e77", "PaymentReturned"),
        ("b5dcc403-41aa-4f2e-acf6-32dbaec78f7a", "KycUpdate"),
        ("a1920089-8cdd-404d-b1aa-624bc4170b40", "CardStateUpdated"),
    ];
    for (id, name) in kept {
        assert_eq!(
            expect(
                client.get(&format!("/v2/webhooks/event-types/{id}")).await,
                200
            )
            .json()["name"],
            name
        );
        let body = with(
            &without(&equals_body(), "webhookEventTypeName"),
            "webhookEventTypeId",
            id,
        );
        assert_eq!(
            create_equals(&client, body).await["webhookEventTypeName"],
            name
        );
    }
    for id in [
        "66854098-aac7-4084-938e-bc2e62fb6a44",
        "da91434a-4026-42ea-84b8-d0317b64af9c",
    ] {
        assert_equals_error(
            client.get(&format!("/v2/webhooks/event-types/{id}")).await,
            404,
            &[],
        );
        let body = with(
            &without(&equals_body(), "webhookEventTypeName"),
            "webhookEventTypeId",
            id,
        );
        assert_equals_error(
            client.post("/v2/webhooks", body).await,
            400,
            &["/webhookEventTypeId"],
        );
    }
    let id = "ed6dfe0e-6cf2-43d5-9f35-aebg587f4e77";
    assert_equals_error(
        client.get(&format!("/v2/webhooks/event-types/{id}")).await,
        400,
        &["webhookEventTypeId"],
    );
    let body = with(
        &without(&equals_body(), "webhookEventTypeName"),
        "webhookEventTypeId",
        id,
    );
    assert_equals_error(
        client.post("/v2/webhooks", body).await,
        400,
        &["/webhookEventTypeId"],
    );
}

/// E-44, E-14: a contested id beside the name that it was documented for, but does not mean here, is a contradiction.
#[actix_web::test]
async fn a_contested_id_contradicts_its_other_name() {
    let app = TestApp::start().await;
    for (id, name) in [
        ("06e852d1-fcd5-43e6-babe-65a06a43266b", "OrderCreated"),
        ("ed6dfe0e-6cf2-43d5-9f35-aebf873f4e77", "RecipientDeleted"),
        ("66854098-aac7-4084-938e-bc2e62fb6a44", "KycUpdate"),
        ("66854098-aac7-4084-938e-bc2e62fb6a44", "CardStateUpdated"),
        ("da91434a-4026-42ea-84b8-d0317b64af9c", "OrderCreated"),
    ] {
        let body = with(
            &with(&equals_body(), "webhookEventTypeName", name),
            "webhookEventTypeId",
            id,
        );
        assert_equals_refused(
            app.equals().post("/v2/webhooks", body).await,
            &["", "/webhookEventTypeId", "/webhookEventTypeName"],
        );
    }
    assert_eq!(list_equals(&app.equals(), "").await["count"], 0);
}

/// E-12: an id that is not a UUID answers 400 under the parameter's name, an unknown UUID 404.
#[actix_web::test]
async fn ids_of_the_path_are_uuids() {
    let app = TestApp::start().await;
    let client = app.equals();
    let known = CATALOGUE[6].1;
    let mut malformed: Vec<String> = [
        "BoxCredited",
        "x",
        "0",
        "null",
        "event-types",
        "25d5b682-7449-4d07-b6fc-7c9bf123956",
        "25d5b682-7449-4d07-b6fc-7c9bf12395611",
        "25d5b682-7449-4d07-b6fc-7c9bf123956g",
        "25d5b68274494d07b6fc7c9bf1239561",
        "25d5b682_7449_4d07_b6fc_7c9bf1239561",
        "25d5b6827-449-4d07-b6fc-7c9bf1239561",
        "{25d5b682-7449-4d07-b6fc-7c9bf1239561}",
        "urn:uuid:25d5b682-7449-4d07-b6fc-7c9bf1239561",
        " 25d5b682-7449-4d07-b6fc-7c9bf1239561",
        "25d5b682-7449-4d07-b6fc-7c9bf1239561\n",
        "25d5b682-7449-4d07-b6fc-7c9bf1239561\u{0}",
        "' OR '1'='1",
        "x'; DROP TABLE webhooks; --",
        "\u{0}",
        "\u{1f600}",
        "*",
        "%",
    ]
    .map(encode)
    .into();
    malformed.extend(["a".repeat(4_000), "%ff".to_owned(), "%00".repeat(500)]);
    for id in malformed {
        assert_equals_error(
            client.get(&format!("/v2/webhooks/event-types/{id}")).await,
            400,
            &["webhookEventTypeId"],
        );
    }
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "123e4567-e89b-12d3-a456-426614174000",
        "25d5b682-7449-4d07-b6fc-7c9bf1239562",
    ] {
        assert_equals_error(
            client.get(&format!("/v2/webhooks/event-types/{id}")).await,
            404,
            &[],
        );
    }
    expect(
        client
            .get(&format!(
                "/v2/webhooks/event-types/{}",
                known.to_uppercase()
            ))
            .await,
        200,
    );
    for path in ["%2F", "a%2Fb", "..%2F..%2Fetc%2Fpasswd"] {
        let answer = expect_one_of(
            client
                .get(&format!("/v2/webhooks/event-types/{path}"))
                .await,
            &[400, 404],
        );
        assert_eq!(answer.json()["statusCode"], answer.status);
    }
    sound(
        client
            .get(&format!("/v2/webhooks/event-types/{}", "a".repeat(60_000)))
            .await,
    );
}

/// E-6, E-38: event types ignore `accountId` and every unknown parameter.
#[actix_web::test]
async fn event_types_ignore_the_query() {
    let app = TestApp::start().await;
    let client = app.equals();
    let all = list_event_types(&client, "").await;
    let one = format!("/v2/webhooks/event-types/{}", CATALOGUE[6].1);
    for query in [
        "?accountId=F12345",
        "?accountId=",
        "?accountId=%00",
        "?limit=1",
        "?limit=x",
        "?offset=-1",
        "?enabled=false",
        "?enabled=maybe",
        "?webhookEventTypeName=BoxCredited",
        "?",
        "?&",
        "?x=1&x=2",
        "?%ff",
        "?'%20OR%201=1--",
    ] {
        assert_eq!(list_event_types(&client, query).await, all, "{query}");
        assert_eq!(
            expect(client.get(&format!("{one}{query}")).await, 200).json(),
            all[6],
            "{query}"
        );
    }
}

/// E-41: the catalogue is the same for every product.
#[actix_web::test]
async fn every_product_sees_the_same_catalogue() {
    let app = TestApp::start().await;
    let other = app.equals_other().await;
    assert_eq!(
        list_event_types(&other, "").await,
        list_event_types(&app.equals(), "").await
    );
    expect(
        other
            .get(&format!("/v2/webhooks/event-types/{}", CATALOGUE[19].1))
            .await,
        200,
    );
}

/// E-43: ids and dates are the same after a restart.
#[actix_web::test]
async fn a_restart_keeps_the_catalogue() {
    let app = TestApp::start().await;
    let before = list_event_types(&app.equals(), "").await;
    let app = app.restart().await;
    assert_eq!(list_event_types(&app.equals(), "").await, before);
}

/// E-45, E-17: a type that the configuration disables is shown so, and no webhook can be created for it.
#[actix_web::test]
async fn a_disabled_type_takes_no_webhooks() {
    let disabled = ["BoxCredited", "OrderCreated"];
    let app = TestApp::start_with(|config| {
        config
            .providers
            .set("equals-money-disabled-event-types", disabled);
    })
    .await;
    let client = app.equals();
    let list = list_event_types(&client, "").await;
    assert_eq!(list.as_array().unwrap().len(), 31);
    for (entry, (name, id, ..)) in list.as_array().unwrap().iter().zip(CATALOGUE) {
        assert_eq!(entry["enabled"], !disabled.contains(&name), "{entry}");
        assert_eq!(
            expect(
                client.get(&format!("/v2/webhooks/event-types/{id}")).await,
                200
            )
            .json(),
            *entry
        );
    }
    let nameless = without(&equals_body(), "webhookEventTypeName");
    for (name, id, ..) in CATALOGUE.iter().filter(|entry| disabled.contains(&entry.0)) {
        let by_name = with(&equals_body(), "webhookEventTypeName", *name);
        assert_equals_error(
            client.post("/v2/webhooks", by_name.clone()).await,
            400,
            &["/webhookEventTypeName"],
        );
        let by_id = with(&nameless, "webhookEventTypeId", *id);
        assert_equals_error(
            client.post("/v2/webhooks", by_id).await,
            400,
            &["/webhookEventTypeId"],
        );
        let by_both = with(&by_name, "webhookEventTypeId", *id);
        assert_equals_refused(
            client.post("/v2/webhooks", by_both).await,
            &["/webhookEventTypeId", "/webhookEventTypeName"],
        );
    }
    assert_eq!(list_equals(&client, "").await["count"], 0);
    create_equals(
        &client,
        with(&equals_body(), "webhookEventTypeName", "BoxDebited"),
    )
    .await;
}
