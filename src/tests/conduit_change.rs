//! Tests of `PATCH` and `DELETE /conduit/webhooks/{id}`.

use serde_json::{Value, json};

use super::app::{TestApp, production};
use super::shape::{
    BAD_URLS, CONDUIT_EVENTS, GOOD_URLS, JSON_TYPES, MAX_BODY_BYTES, OTHER_THAN_OBJECTS,
    assert_conduit_error, assert_conduit_invalid, assert_conduit_not_found, assert_conduit_refused,
    assert_conduit_webhook, assert_own, conduit_body, conduit_ids, create_conduit, deep_bodies,
    encode, expect, expect_one_of, id_of, malformed_bodies, padded, read_conduit, sound,
    url_of_length, with, without,
};

const JSON: Option<&str> = Some("application/json");

/// C-15, C-9, C-11: every subset of the three members is changed, and only that.
#[actix_web::test]
async fn patch_changes_any_subset() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let changes = json!({ "url": "https://example.org/changed", "events": ["customer.created", "customer.active"], "status": "disabled" });
    for subset in 0..8_usize {
        let id = id_of(&create_conduit(&client, conduit_body()).await);
        let mut wanted = read_conduit(&client, &id).await;
        let mut body = json!({});
        for (bit, member) in ["url", "events", "status"].iter().enumerate() {
            if subset & (1 << bit) != 0 {
                body[*member] = changes[*member].clone();
                wanted[*member] = changes[*member].clone();
            }
        }
        let answer = expect(client.patch(&format!("/webhooks/{id}"), body).await, 200);
        assert_conduit_webhook(&answer.json(), false);
        assert_own(&answer.json());
        assert_eq!(answer.json(), without(&wanted, "secret"));
        assert_eq!(read_conduit(&client, &id).await, wanted);
    }
}

/// C-15: a change touches no other webhook, and can be taken back.
#[actix_web::test]
async fn patch_changes_one_webhook_only() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let mut before = Vec::new();
    for _ in 0..3 {
        let id = id_of(&create_conduit(&client, conduit_body()).await);
        before.push(read_conduit(&client, &id).await);
    }
    let path = format!("/webhooks/{}", id_of(&before[1]));
    for status in ["disabled", "disabled", "enabled"] {
        assert_eq!(
            expect(client.patch(&path, json!({ "status": status })).await, 200).json()["status"],
            status
        );
    }
    for webhook in before {
        assert_eq!(read_conduit(&client, &id_of(&webhook)).await, webhook);
    }
}

/// C-16, C-24: a body without any of the three members changes nothing and answers 200.
#[actix_web::test]
async fn a_patch_without_known_members_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    for body in [
        json!({}),
        json!({ "unknown": true }),
        json!({ "id": "whk_2ofTA13AD0xBtbEvBl20aEb1hEu" }),
        json!({ "id": null, "secret": null, "organizationId": null }),
        json!({ "secret": "mine" }),
        json!({ "organizationId": "client_0ujsswThIGTUYm2K8FjOOfXtY1K" }),
        json!({ "organizationId": 5 }),
        json!({ "organizationId": "not a client" }),
        json!({ "Status": "disabled", "STATUS": 5, "": null, "status ": "disabled" }),
        json!({ "$set": { "status": "disabled" } }),
    ] {
        let answer = expect(client.patch(&format!("/webhooks/{id}"), body).await, 200);
        assert_eq!(answer.json(), without(&before, "secret"));
        assert_eq!(read_conduit(&client, &id).await, before);
    }
}

/// C-24: unknown members beside known ones are ignored.
#[actix_web::test]
async fn patch_ignores_unknown_members() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let wanted = with(&read_conduit(&client, &id).await, "status", "disabled");
    let body = json!({ "id": "x", "secret": "0".repeat(64), "organizationId": [], "status": "disabled", "x": { "y": [null] } });
    expect(client.patch(&format!("/webhooks/{id}"), body).await, 200);
    assert_eq!(read_conduit(&client, &id).await, wanted);
}

/// C-23: duplicate events are folded on PATCH too, and the given order replaces the old one.
#[actix_web::test]
async fn patch_folds_duplicate_events() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(
        &create_conduit(
            &client,
            with(&conduit_body(), "events", CONDUIT_EVENTS.to_vec()),
        )
        .await,
    );
    let (a, b) = ("transaction.completed", "counterparty.active");
    for (given, kept) in [
        (vec![a, b, a], vec![a, b]),
        (vec![b, a], vec![b, a]),
        (vec![a, a], vec![a]),
    ] {
        let answer = expect(
            client
                .patch(&format!("/webhooks/{id}"), json!({ "events": given }))
                .await,
            200,
        );
        assert_eq!(answer.json()["events"], json!(kept));
        assert_eq!(read_conduit(&client, &id).await["events"], json!(kept));
    }
}

/// C-15, C-26, C-27, C-28: the URL rules of create hold for PATCH.
#[actix_web::test]
async fn patch_takes_the_same_urls() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let path = format!("/webhooks/{id}");
    for url in GOOD_URLS
        .iter()
        .map(|url| (*url).to_owned())
        .chain([url_of_length(2048)])
    {
        expect(client.patch(&path, json!({ "url": url })).await, 200);
        assert_eq!(read_conduit(&client, &id).await["url"], url);
    }
    let before = read_conduit(&client, &id).await;
    let mut taken = Vec::new();
    for url in BAD_URLS
        .iter()
        .map(|url| (*url).to_owned())
        .chain([url_of_length(2049)])
    {
        let answer = sound(client.patch(&path, json!({ "url": url })).await);
        if answer.status == 200 {
            taken.push(url);
            expect(
                client.patch(&path, json!({ "url": before["url"] })).await,
                200,
            );
        } else {
            assert_conduit_invalid(answer, &["/url"]);
        }
    }
    assert!(taken.is_empty(), "taken as URLs: {taken:?}");
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-15, C-25: a known member of another type, `null` included, is refused and nothing is changed.
#[actix_web::test]
async fn patch_refuses_members_of_another_type() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let path = format!("/webhooks/{id}");
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1.5),
        json!({}),
        json!("nope"),
        json!(""),
        json!([]),
    ];
    for (member, pointer) in [
        ("url", "/url"),
        ("status", "/status"),
        ("events", "/events"),
    ] {
        for value in &values {
            assert_conduit_invalid(
                client.patch(&path, json!({ member: value })).await,
                &[pointer],
            );
        }
    }
    for event in [
        json!("nope"),
        json!(null),
        json!(1),
        json!({}),
        json!([]),
        json!("Customer.Active"),
    ] {
        assert_conduit_invalid(
            client
                .patch(&path, json!({ "events": ["customer.active", event] }))
                .await,
            &["/events/1"],
        );
    }
    for status in ["ENABLED", "active", "enabled ", "deleted"] {
        assert_conduit_invalid(
            client.patch(&path, json!({ "status": status })).await,
            &["/status"],
        );
    }
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-15, C-19: every fault is named, and the good members beside it are not changed either.
#[actix_web::test]
async fn a_patch_with_a_fault_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let path = format!("/webhooks/{id}");
    let good = json!({ "url": "https://example.org/changed", "events": ["customer.created"], "status": "disabled" });
    for (member, value, pointer) in [
        ("url", json!("nope"), "/url"),
        ("events", json!(["nope"]), "/events/0"),
        ("status", json!(null), "/status"),
    ] {
        assert_conduit_invalid(
            client.patch(&path, with(&good, member, value)).await,
            &[pointer],
        );
        assert_eq!(read_conduit(&client, &id).await, before);
    }
    let body = json!({ "url": null, "events": ["a", "customer.active", 5], "status": "on", "organizationId": 1 });
    assert_conduit_invalid(
        client.patch(&path, body).await,
        &["/url", "/events/0", "/events/2", "/status"],
    );
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-19: malformed JSON, other JSON than objects and deep JSON are refused on PATCH, and nothing is changed.
#[actix_web::test]
async fn patch_refuses_malformed_json() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let path = format!("/webhooks/{id}");
    for (_, body) in malformed_bodies() {
        assert_conduit_invalid(client.send("PATCH", &path, JSON, &body).await, &[""]);
    }
    for body in OTHER_THAN_OBJECTS {
        assert_conduit_invalid(
            client.send("PATCH", &path, JSON, body.as_bytes()).await,
            &[""],
        );
    }
    for body in deep_bodies() {
        let answer = expect_one_of(client.send("PATCH", &path, JSON, &body).await, &[200, 400]);
        if answer.status == 400 {
            assert_conduit_refused(answer);
        }
    }
    for body in [
        r#"{"status":"disabled","url":"https://example.com/\ud800"}"#,
        r#"{"status":"disabled","url":1e400}"#,
    ] {
        assert_conduit_refused(client.send("PATCH", &path, JSON, body.as_bytes()).await);
    }
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-22, C-21: PATCH takes the same content types and the same size as create.
#[actix_web::test]
async fn patch_takes_json_up_to_the_limit() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let path = format!("/webhooks/{id}");
    for (number, content_type) in JSON_TYPES
        .iter()
        .map(|name| Some(*name))
        .chain([None])
        .enumerate()
    {
        let url = format!("https://example.com/{number}");
        expect(
            client
                .send(
                    "PATCH",
                    &path,
                    content_type,
                    json!({ "url": url }).to_string().as_bytes(),
                )
                .await,
            200,
        );
        assert_eq!(read_conduit(&client, &id).await["url"], url);
    }
    expect(
        client
            .send(
                "PATCH",
                &path,
                JSON,
                &padded(&json!({ "status": "disabled" }), MAX_BODY_BYTES),
            )
            .await,
        200,
    );
    let before = read_conduit(&client, &id).await;
    let body = padded(&json!({ "status": "enabled" }), MAX_BODY_BYTES + 1);
    assert_conduit_error(client.send("PATCH", &path, JSON, &body).await, 413, None);
    assert_conduit_error(
        client
            .send(
                "PATCH",
                &path,
                Some("text/plain"),
                b"{\"status\":\"enabled\"}",
            )
            .await,
        415,
        None,
    );
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-17: DELETE answers 204 without a body; then the webhook is gone for every operation.
#[actix_web::test]
async fn a_deleted_webhook_is_gone() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let kept = id_of(&create_conduit(&client, conduit_body()).await);
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let path = format!("/webhooks/{id}");
    expect(client.delete(&path).await, 204);
    assert_conduit_not_found(client.delete(&path).await);
    assert_conduit_not_found(client.get(&path).await);
    assert_conduit_not_found(client.patch(&path, json!({ "status": "enabled" })).await);
    assert_conduit_not_found(client.patch(&path, json!({})).await);
    assert_eq!(conduit_ids(&client).await, [kept]);

    let app = app.restart().await;
    assert_conduit_not_found(app.conduit().get(&path).await);
    assert_conduit_not_found(app.conduit().delete(&path).await);
}

/// C-18: PATCH and DELETE of ids that are malformed or unknown answer 404 and change nothing.
#[actix_web::test]
async fn changes_of_ids_that_are_not_there_answer_404() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let mut ids: Vec<String> = [
        "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "whk_",
        "x",
        "*",
        "%",
        "whk_%",
        " ",
        "' OR '1'='1",
        "x'; DELETE FROM webhooks; --",
        "\u{0}",
        "\u{1f600}",
    ]
    .map(encode)
    .into();
    ids.extend([
        encode(&format!("{id}\u{0}")),
        format!("{id}%20"),
        format!("{id}0"),
        id[..30].to_owned(),
        "%ff".to_owned(),
        "a".repeat(4_000),
    ]);
    for id in ids {
        assert_conduit_not_found(client.delete(&format!("/webhooks/{id}")).await);
        assert_conduit_not_found(
            client
                .patch(&format!("/webhooks/{id}"), json!({ "status": "disabled" }))
                .await,
        );
    }
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// C-18: another client can neither change nor delete a webhook, and its 404 is that of an unknown id.
#[actix_web::test]
async fn a_foreign_webhook_cannot_be_changed() {
    let app = TestApp::start().await;
    let other = app.conduit_other().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let before = read_conduit(&app.conduit(), &id).await;
    let unknown = "whk_2ofTA13AD0xBtbEvBl20aEb1hEu";
    let body = json!({ "url": "https://evil.example/", "status": "disabled", "events": ["customer.active"] });

    let foreign =
        assert_conduit_not_found(other.patch(&format!("/webhooks/{id}"), body.clone()).await);
    let missing =
        assert_conduit_not_found(other.patch(&format!("/webhooks/{unknown}"), body).await);
    assert_eq!(
        foreign.text().replace(&id, ""),
        missing.text().replace(unknown, "")
    );
    let foreign = assert_conduit_not_found(other.delete(&format!("/webhooks/{id}")).await);
    let missing = assert_conduit_not_found(other.delete(&format!("/webhooks/{unknown}")).await);
    assert_eq!(
        foreign.text().replace(&id, ""),
        missing.text().replace(unknown, "")
    );
    assert_conduit_not_found(other.patch(&format!("/webhooks/{id}"), json!({})).await);

    assert_eq!(read_conduit(&app.conduit(), &id).await, before);
    assert_eq!(conduit_ids(&app.conduit()).await, [id]);
}

/// C-10, C-15: a restart keeps what PATCH changed, and the secret.
#[actix_web::test]
async fn a_restart_keeps_changes() {
    let app = TestApp::start().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let secret = read_conduit(&app.conduit(), &id).await["secret"].clone();
    let body = json!({ "url": "https://example.org/changed", "events": ["transaction.initializing"], "status": "disabled" });
    expect(
        app.conduit()
            .patch(&format!("/webhooks/{id}"), body.clone())
            .await,
        200,
    );

    let app = app.restart().await;
    let read = read_conduit(&app.conduit(), &id).await;
    assert_eq!(read["secret"], secret);
    for member in ["url", "events", "status"] {
        assert_eq!(read[member], body[member]);
    }
}

/// C-15, C-17, C-18: PATCH and DELETE at the same time give 200, 204 and 404; exactly one DELETE succeeds.
#[actix_web::test]
async fn concurrent_changes_and_deletions_do_no_harm() {
    let app = TestApp::start().await;
    let client = app.conduit();
    for _ in 0..5 {
        let id = id_of(&create_conduit(&client, conduit_body()).await);
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let (client, path) = (client.clone(), format!("/webhooks/{id}"));
                actix_web::rt::spawn(async move {
                    let answer = match number % 4 {
                        0 if number > 4 => client.delete(&path).await,
                        1 => client.get(&path).await,
                        _ => {
                            client
                                .patch(
                                    &path,
                                    json!({ "url": format!("https://example.com/{number}") }),
                                )
                                .await
                        }
                    };
                    expect_one_of(answer, &[200, 204, 404]).status
                })
            })
            .collect();
        let mut deleted = 0;
        for task in tasks {
            deleted += usize::from(task.await.unwrap() == 204);
        }
        assert_eq!(deleted, 1);
        assert_conduit_not_found(client.get(&format!("/webhooks/{id}")).await);
    }
    assert!(conduit_ids(&client).await.is_empty());
}

/// C-15: two changes of different members at the same time both last.
#[actix_web::test]
async fn concurrent_changes_of_different_members_both_last() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    for (round, event) in CONDUIT_EVENTS.iter().take(10).enumerate() {
        let changes: [Value; 3] = [
            json!({ "url": format!("https://example.com/{round}") }),
            json!({ "status": if round % 2 == 0 { "disabled" } else { "enabled" } }),
            json!({ "events": [event] }),
        ];
        let tasks = changes.clone().map(|body| {
            let (client, path) = (client.clone(), format!("/webhooks/{id}"));
            actix_web::rt::spawn(async move { expect(client.patch(&path, body).await, 200).status })
        });
        for task in tasks {
            assert_eq!(task.await.unwrap(), 200);
        }
        let read = read_conduit(&client, &id).await;
        for (member, value) in changes
            .iter()
            .flat_map(|change| change.as_object().unwrap())
        {
            assert_eq!(read[member], *value, "round {round}");
        }
    }
}

/// C-26: in production mode PATCH refuses `http` too.
#[actix_web::test]
async fn production_mode_changes_to_https_only() {
    let app = TestApp::start_with(production).await;
    let client = app.conduit_other().await;
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    assert_conduit_invalid(
        client
            .patch(
                &format!("/webhooks/{id}"),
                json!({ "url": "http://example.com/" }),
            )
            .await,
        &["/url"],
    );
    assert_eq!(read_conduit(&client, &id).await, before);
    expect(
        client
            .patch(
                &format!("/webhooks/{id}"),
                json!({ "url": "https://example.com/" }),
            )
            .await,
        200,
    );
}
