//! Tests of `PATCH` and `DELETE /equals-money/v2/webhooks/{webhookId}`.

use serde_json::{Value, json};

use super::app::{Answer, Client, TestApp};
use super::shape::{
    BAD_URLS, EQUALS_MEMBERS, GOOD_URLS, JSON_TYPES, MAX_BODY_BYTES, OTHER_THAN_OBJECTS,
    assert_equals_error, assert_equals_refused, assert_millis, assert_whole_second, create_equals,
    cut_to_second, deep_bodies, encode, equals_body, equals_full_body, expect, expect_one_of,
    id_of, list_equals, malformed_bodies, padded, read_equals, row_ids, sound, url_of_length, with,
};

const JSON: Option<&str> = Some("application/json");

/// Changes a webhook and returns the answer's object, with its shape checked.
async fn change(client: &Client, id: &str, body: Value) -> Value {
    let answer = expect(client.patch(&format!("/v2/webhooks/{id}"), body).await, 200);
    assert_eq!(answer.keys(), EQUALS_MEMBERS);
    assert_whole_second(&answer.json()["createdAt"]);
    assert_millis(&answer.json()["updatedAt"]);
    answer.json()
}

/// Sends a PATCH that is expected to fail.
async fn try_change(client: &Client, id: &str, body: Value) -> Answer {
    sound(client.patch(&format!("/v2/webhooks/{id}"), body).await)
}

/// E-31, E-33: the documented change answers all 11 members, `createdAt` to the second and `updatedAt` with milliseconds.
#[actix_web::test]
async fn the_documented_change_answers_every_member() {
    let app = TestApp::start().await;
    let client = app.equals();
    let created = create_equals(&client, with(&equals_body(), "accountId", "F12345")).await;
    let body = json!({
        "sharedSecret": "123e4567-e89b-12d3-a456-426614174000", "url": "https://example.org/changed",
        "authorizationHeader": "Basic AXVubzpwQDU1dzByYM==", "enabled": true,
    });
    let answer = expect(
        client
            .patch(
                &format!("/v2/webhooks/{}?accountId=F12345", id_of(&created)),
                body.clone(),
            )
            .await,
        200,
    );
    assert_eq!(answer.keys(), EQUALS_MEMBERS);
    let changed = answer.json();
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(changed[member], *value);
    }
    for member in [
        "id",
        "productId",
        "accountId",
        "webhookEventTypeId",
        "webhookEventTypeName",
    ] {
        assert_eq!(changed[member], created[member]);
    }
    assert_eq!(changed["createdAt"], cut_to_second(&created["createdAt"]));
    assert_millis(&changed["updatedAt"]);
    assert!(
        changed["updatedAt"].as_str() >= created["updatedAt"].as_str(),
        "{changed}"
    );
    let read = read_equals(&client, &id_of(&created)).await;
    assert_eq!(
        read,
        with(&changed, "updatedAt", cut_to_second(&changed["updatedAt"]))
    );
}

/// E-33, E-34: over many changes `updatedAt` goes on, `createdAt` stays, and GET cuts both.
#[actix_web::test]
async fn changes_move_updated_at_only() {
    let app = TestApp::start().await;
    let client = app.equals();
    let created = create_equals(&client, equals_body()).await;
    let mut before = created["updatedAt"].as_str().unwrap().to_owned();
    for number in 0..20 {
        let changed = change(
            &client,
            &id_of(&created),
            json!({ "enabled": number % 2 == 0 }),
        )
        .await;
        assert_eq!(changed["createdAt"], cut_to_second(&created["createdAt"]));
        let updated = changed["updatedAt"].as_str().unwrap().to_owned();
        assert!(updated >= before, "{updated} is before {before}");
        before = updated;
        assert_eq!(
            read_equals(&client, &id_of(&created)).await["updatedAt"],
            cut_to_second(&changed["updatedAt"])
        );
    }
}

/// E-27: beside `enabled` any of the three members is changed, and omitted ones keep their value.
#[actix_web::test]
async fn omitted_members_keep_their_value() {
    let app = TestApp::start().await;
    let client = app.equals();
    let changes = json!({ "url": "https://example.org/changed", "authorizationHeader": "Bearer changed", "sharedSecret": "changed" });
    for subset in 0..8_usize {
        let id = id_of(&create_equals(&client, equals_full_body()).await);
        let mut wanted = with(&read_equals(&client, &id).await, "enabled", false);
        let mut body = json!({ "enabled": false });
        for (bit, (member, value)) in changes.as_object().unwrap().iter().enumerate() {
            if subset & (1 << bit) != 0 {
                body[member] = value.clone();
                wanted[member] = value.clone();
            }
        }
        let changed = change(&client, &id, body).await;
        wanted["updatedAt"] = cut_to_second(&changed["updatedAt"]);
        assert_eq!(read_equals(&client, &id).await, wanted);
    }
}

/// E-27: null clears the header and the secret, which then read as null and can be set again.
#[actix_web::test]
async fn null_clears_the_optional_members() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    for (member, other) in [
        ("authorizationHeader", "sharedSecret"),
        ("sharedSecret", "authorizationHeader"),
    ] {
        let kept = read_equals(&client, &id).await[other].clone();
        let changed = change(&client, &id, json!({ "enabled": true, member: null })).await;
        assert_eq!((&changed[member], &changed[other]), (&Value::Null, &kept));
        assert_eq!(read_equals(&client, &id).await[member], Value::Null);
        assert_eq!(
            change(&client, &id, json!({ "enabled": true, member: null })).await[member],
            Value::Null
        );
        assert_eq!(
            change(&client, &id, json!({ "enabled": true, member: "again" })).await[member],
            "again"
        );
        assert_eq!(read_equals(&client, &id).await[member], "again");
    }
}

/// E-27: `enabled` is required whatever else is changed.
#[actix_web::test]
async fn enabled_is_required() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    let before = read_equals(&client, &id).await;
    for body in [
        json!({}),
        json!({ "url": "https://example.org/" }),
        json!({ "sharedSecret": null }),
        json!({ "sharedSecret": "x", "authorizationHeader": "y", "url": "https://example.org/" }),
        json!({ "unknown": true }),
        json!({ "Enabled": true }),
    ] {
        assert_equals_error(try_change(&client, &id, body).await, 400, &["/enabled"]);
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-19, E-27: a known member of another type is refused, null for `url` and `enabled` too.
#[actix_web::test]
async fn a_member_of_another_type_is_refused() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    let before = read_equals(&client, &id).await;
    for member in ["url", "authorizationHeader", "sharedSecret"] {
        for value in [
            json!(true),
            json!(0),
            json!(1.5),
            json!([]),
            json!(["x"]),
            json!({}),
        ] {
            assert_equals_error(
                try_change(&client, &id, json!({ "enabled": false, member: value })).await,
                400,
                &[&format!("/{member}")],
            );
        }
    }
    assert_equals_error(
        try_change(&client, &id, json!({ "enabled": false, "url": null })).await,
        400,
        &["/url"],
    );
    for value in [
        json!(null),
        json!("true"),
        json!("false"),
        json!(""),
        json!(0),
        json!(1),
        json!([]),
        json!({}),
    ] {
        assert_equals_error(
            try_change(&client, &id, json!({ "enabled": value })).await,
            400,
            &["/enabled"],
        );
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-20, E-21, E-27: the URL rules of create hold for PATCH.
#[actix_web::test]
async fn patch_takes_the_same_urls() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    for url in GOOD_URLS
        .iter()
        .map(|url| (*url).to_owned())
        .chain([url_of_length(512)])
    {
        assert_eq!(
            change(&client, &id, json!({ "enabled": true, "url": url })).await["url"],
            url
        );
        assert_eq!(read_equals(&client, &id).await["url"], url);
    }
    let before = read_equals(&client, &id).await;
    let mut taken = Vec::new();
    for url in BAD_URLS
        .iter()
        .map(|url| (*url).to_owned())
        .chain([url_of_length(513)])
    {
        let answer = try_change(&client, &id, json!({ "enabled": true, "url": url })).await;
        if answer.status == 200 {
            taken.push(url);
        } else {
            assert_equals_error(answer, 400, &["/url"]);
        }
    }
    assert!(taken.is_empty(), "taken as URLs: {taken:?}");
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-22, E-23, E-27: the limits of the secret and of the header hold for PATCH.
#[actix_web::test]
async fn patch_has_the_same_limits() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    for (member, good) in [
        (
            "sharedSecret",
            vec![
                "s".to_owned(),
                "s".repeat(36),
                "\u{1f600}".repeat(36),
                "\u{0}\n".to_owned(),
            ],
        ),
        (
            "authorizationHeader",
            vec![
                "h".to_owned(),
                "h".repeat(512),
                "Basic AXVubzpwQDU1dzByYM== ".to_owned(),
                "a\tb".to_owned(),
            ],
        ),
    ] {
        for value in good {
            assert_eq!(
                change(&client, &id, json!({ "enabled": true, member: value })).await[member],
                value
            );
            assert_eq!(read_equals(&client, &id).await[member], value);
        }
    }
    let before = read_equals(&client, &id).await;
    for (member, bad) in [
        (
            "sharedSecret",
            vec![String::new(), "s".repeat(37), "s".repeat(100_000)],
        ),
        (
            "authorizationHeader",
            vec![
                String::new(),
                "h".repeat(513),
                "x\r\nX-Injected: 1".to_owned(),
                "x\n".to_owned(),
                "\r".to_owned(),
                "\u{0}".to_owned(),
                "\u{7f}".to_owned(),
                "\u{1b}".to_owned(),
            ],
        ),
    ] {
        for value in bad {
            assert_equals_error(
                try_change(&client, &id, json!({ "enabled": false, member: value })).await,
                400,
                &[&format!("/{member}")],
            );
        }
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-13, E-27: every fault is named, and the good members beside it are not changed either.
#[actix_web::test]
async fn a_patch_with_a_fault_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    let before = read_equals(&client, &id).await;
    let good = json!({ "enabled": false, "url": "https://example.org/changed", "authorizationHeader": "changed", "sharedSecret": "changed" });
    for (member, value) in [
        ("enabled", json!(null)),
        ("url", json!("nope")),
        ("authorizationHeader", json!("a\nb")),
        ("sharedSecret", json!("s".repeat(37))),
    ] {
        assert_equals_error(
            try_change(&client, &id, with(&good, member, value)).await,
            400,
            &[&format!("/{member}")],
        );
        assert_eq!(read_equals(&client, &id).await, before);
    }
    let body = json!({ "url": 5, "authorizationHeader": "", "sharedSecret": [], "accountId": 5, "webhookEventTypeName": null });
    let pointers = ["/enabled", "/url", "/authorizationHeader", "/sharedSecret"];
    assert_equals_error(try_change(&client, &id, body).await, 400, &pointers);
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-18: unknown members are ignored; the event-type members and `accountId` count as unknown.
#[actix_web::test]
async fn patch_ignores_unknown_members() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    let before = read_equals(&client, &id).await;
    for body in [
        json!({ "webhookEventTypeName": "BoxDebited" }),
        json!({ "webhookEventTypeName": "Nope", "webhookEventTypeId": "no-uuid" }),
        json!({ "webhookEventTypeName": null, "webhookEventTypeId": 5 }),
        json!({ "accountId": "F50091" }),
        json!({ "accountId": null }),
        json!({ "accountId": [] }),
        json!({ "id": "x", "productId": "x", "createdAt": "x", "updatedAt": "x" }),
        json!({ "x": { "y": [null] }, "": 1, "Url": 5 }),
    ] {
        let changed = change(&client, &id, with(&body, "enabled", true)).await;
        assert_eq!(
            with(&changed, "updatedAt", before["updatedAt"].clone()),
            before
        );
    }
}

/// E-11: malformed JSON, other JSON than objects and deep JSON are refused on PATCH, and nothing is changed.
#[actix_web::test]
async fn patch_refuses_malformed_json() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    let before = read_equals(&client, &id).await;
    let path = format!("/v2/webhooks/{id}");
    for (_, body) in malformed_bodies() {
        assert_equals_error(client.send("PATCH", &path, JSON, &body).await, 400, &[""]);
    }
    for body in OTHER_THAN_OBJECTS {
        assert_equals_error(
            client.send("PATCH", &path, JSON, body.as_bytes()).await,
            400,
            &[""],
        );
    }
    for body in deep_bodies() {
        expect(client.send("PATCH", &path, JSON, &body).await, 400);
    }
    for body in [
        r#"{"enabled": true,"authorizationHeader": "Basic BXVubzpwQDU1dzByYM==",}"#,
        r#"{"enabled":false,"url":"https://example.com/\ud800"}"#,
        r#"{"enabled":false,"sharedSecret":"\ud800"}"#,
        r#"{"enabled":1e400}"#,
    ] {
        let answer = client.send("PATCH", &path, JSON, body.as_bytes()).await;
        assert_equals_refused(answer, &["", "/url", "/sharedSecret", "/enabled"]);
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-9: PATCH takes the same content types and the same size as create.
#[actix_web::test]
async fn patch_takes_json_up_to_the_limit() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let path = format!("/v2/webhooks/{id}");
    for (number, content_type) in JSON_TYPES.iter().enumerate() {
        let body = json!({ "enabled": true, "sharedSecret": number.to_string() });
        expect(
            client
                .send(
                    "PATCH",
                    &path,
                    Some(content_type),
                    body.to_string().as_bytes(),
                )
                .await,
            200,
        );
        assert_eq!(
            read_equals(&client, &id).await["sharedSecret"],
            number.to_string()
        );
    }
    expect(
        client
            .send(
                "PATCH",
                &path,
                JSON,
                &padded(&json!({ "enabled": false }), MAX_BODY_BYTES),
            )
            .await,
        200,
    );
    let before = read_equals(&client, &id).await;
    let body = padded(&json!({ "enabled": true }), MAX_BODY_BYTES + 1);
    assert_equals_error(client.send("PATCH", &path, JSON, &body).await, 413, &[]);
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        assert_equals_error(
            client
                .send("PATCH", &path, content_type, b"{\"enabled\":true}")
                .await,
            415,
            &[],
        );
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-6: PATCH and DELETE with another account's id answer 404 and change nothing.
#[actix_web::test]
async fn changes_are_scoped_to_the_account() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, with(&equals_body(), "accountId", "F12345")).await);
    let before = read_equals(&client, &id).await;
    for account in [
        "F50091",
        "f12345",
        "F1234",
        "F12345%20",
        "%25",
        "F1234_",
        "null",
        "'%20OR%20'1'='1",
    ] {
        let path = format!("/v2/webhooks/{id}?accountId={account}");
        assert_equals_error(
            client.patch(&path, json!({ "enabled": false })).await,
            404,
            &[],
        );
        assert_equals_error(client.delete(&path).await, 404, &[]);
    }
    assert_eq!(read_equals(&client, &id).await, before);

    let path = format!("/v2/webhooks/{id}?accountId=F12345");
    assert_eq!(
        expect(client.patch(&path, json!({ "enabled": false })).await, 200).json()["enabled"],
        false
    );
    expect(client.delete(&path).await, 204);
    assert_equals_error(client.delete(&path).await, 404, &[]);
}

/// E-6: a global webhook belongs to every account.
#[actix_web::test]
async fn a_global_webhook_is_changed_under_any_account() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let path = format!("/v2/webhooks/{id}?accountId=F50091");
    let changed = expect(client.patch(&path, json!({ "enabled": false })).await, 200).json();
    assert_eq!(
        (&changed["enabled"], &changed["accountId"]),
        (&json!(false), &Value::Null)
    );
    expect(client.delete(&path).await, 204);
    assert_eq!(list_equals(&client, "").await["count"], 0);
}

/// E-38, E-13: unknown parameters are ignored on PATCH and DELETE, a repeated `accountId` is refused.
#[actix_web::test]
async fn changes_ignore_unknown_parameters() {
    let app = TestApp::start().await;
    let client = app.equals();
    for query in [
        "?",
        "?x=1&x=2",
        "?limit=0",
        "?enabled=maybe",
        "?%00",
        "?%ff=%fe",
        "?AccountId=F1",
    ] {
        let id = id_of(&create_equals(&client, with(&equals_body(), "accountId", "F2")).await);
        expect(
            client
                .patch(
                    &format!("/v2/webhooks/{id}{query}"),
                    json!({ "enabled": true }),
                )
                .await,
            200,
        );
        expect(
            client.delete(&format!("/v2/webhooks/{id}{query}")).await,
            204,
        );
    }
    let id = id_of(&create_equals(&client, equals_body()).await);
    let before = read_equals(&client, &id).await;
    let path = format!("/v2/webhooks/{id}?accountId=F1&accountId=F1");
    assert_equals_error(
        client.patch(&path, json!({ "enabled": false })).await,
        400,
        &["accountId"],
    );
    assert_equals_error(client.delete(&path).await, 400, &["accountId"]);
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-39: DELETE answers 204 without a body; then the webhook is gone for every operation, also after a restart.
#[actix_web::test]
async fn a_deleted_webhook_is_gone() {
    let app = TestApp::start().await;
    let client = app.equals();
    let kept = id_of(&create_equals(&client, equals_full_body()).await);
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    assert_eq!(list_equals(&client, "").await["count"], 2);
    let path = format!("/v2/webhooks/{id}");
    expect(client.delete(&path).await, 204);
    assert_equals_error(client.delete(&path).await, 404, &[]);
    assert_equals_error(client.get(&path).await, 404, &[]);
    assert_equals_error(
        client.patch(&path, json!({ "enabled": true })).await,
        404,
        &[],
    );
    let list = list_equals(&client, "").await;
    assert_eq!(
        (list["count"].clone(), row_ids(&list)),
        (json!(1), vec![kept])
    );

    let app = app.restart().await;
    assert_equals_error(app.equals().get(&path).await, 404, &[]);
    assert_equals_error(app.equals().delete(&path).await, 404, &[]);
}

/// E-12, E-13: PATCH and DELETE of an id that is not a UUID answer 400, of an unknown one 404.
#[actix_web::test]
async fn changes_of_ids_that_are_not_there_are_refused() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let before = read_equals(&client, &id).await;
    let mut malformed: Vec<String> = [
        "x",
        "*",
        "%",
        " ",
        "' OR '1'='1",
        "x'; DELETE FROM webhooks; --",
        "\u{0}",
        "\u{1f600}",
    ]
    .map(encode)
    .into();
    malformed.extend([
        id.replace('-', ""),
        encode(&format!("{{{id}}}")),
        encode(&format!("urn:uuid:{id}")),
        format!("{id}%00"),
        format!("{id}%20"),
        "%ff".to_owned(),
        "a".repeat(4_000),
    ]);
    for id in malformed {
        assert_equals_error(
            client.delete(&format!("/v2/webhooks/{id}")).await,
            400,
            &["webhookId"],
        );
        assert_equals_error(
            client
                .patch(&format!("/v2/webhooks/{id}"), json!({ "enabled": false }))
                .await,
            400,
            &["webhookId"],
        );
    }
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "123e4567-e89b-12d3-a456-426614174000",
        "25d5b682-7449-4d07-b6fc-7c9bf1239561",
    ] {
        assert_equals_error(client.delete(&format!("/v2/webhooks/{id}")).await, 404, &[]);
        assert_equals_error(
            client
                .patch(&format!("/v2/webhooks/{id}"), json!({ "enabled": false }))
                .await,
            404,
            &[],
        );
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-12: another product can neither change nor delete a webhook, and its 404 is that of an unknown id.
#[actix_web::test]
async fn a_foreign_webhook_cannot_be_changed() {
    let app = TestApp::start().await;
    let other = app.equals_other().await;
    let id = id_of(&create_equals(&app.equals(), equals_full_body()).await);
    let before = read_equals(&app.equals(), &id).await;
    let unknown = "123e4567-e89b-42d3-a456-426614174000";
    let body =
        json!({ "enabled": false, "url": "https://evil.example/", "sharedSecret": "theirs" });
    for query in ["", "?accountId=F12345"] {
        let foreign = assert_equals_error(
            other
                .patch(&format!("/v2/webhooks/{id}{query}"), body.clone())
                .await,
            404,
            &[],
        );
        let missing = assert_equals_error(
            other
                .patch(&format!("/v2/webhooks/{unknown}{query}"), body.clone())
                .await,
            404,
            &[],
        );
        assert_eq!(
            foreign.text().replace(&id, ""),
            missing.text().replace(unknown, "")
        );
        let foreign = assert_equals_error(
            other.delete(&format!("/v2/webhooks/{id}{query}")).await,
            404,
            &[],
        );
        let missing = assert_equals_error(
            other
                .delete(&format!("/v2/webhooks/{unknown}{query}"))
                .await,
            404,
            &[],
        );
        assert_eq!(
            foreign.text().replace(&id, ""),
            missing.text().replace(unknown, "")
        );
    }
    assert_eq!(read_equals(&app.equals(), &id).await, before);
    assert_eq!(list_equals(&app.equals(), "").await["count"], 1);
}

/// E-27, E-39: PATCH and DELETE at the same time give 200, 204 and 404; exactly one DELETE succeeds.
#[actix_web::test]
async fn concurrent_changes_and_deletions_do_no_harm() {
    let app = TestApp::start().await;
    let client = app.equals();
    for _ in 0..5 {
        let id = id_of(&create_equals(&client, equals_body()).await);
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let (client, path) = (client.clone(), format!("/v2/webhooks/{id}"));
                actix_web::rt::spawn(async move {
                    let answer =
                        match number % 4 {
                            0 if number > 4 => client.delete(&path).await,
                            1 => client.get(&path).await,
                            _ => client
                                .patch(
                                    &path,
                                    json!({ "enabled": false, "sharedSecret": number.to_string() }),
                                )
                                .await,
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
        assert_equals_error(client.get(&format!("/v2/webhooks/{id}")).await, 404, &[]);
    }
    assert_eq!(list_equals(&client, "").await["count"], 0);
}

/// E-27: changes of different members at the same time all last.
#[actix_web::test]
async fn concurrent_changes_of_different_members_all_last() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_full_body()).await);
    for round in 0..10 {
        let changes: [Value; 3] = [
            json!({ "enabled": true, "url": format!("https://example.com/{round}") }),
            json!({ "enabled": true, "sharedSecret": round.to_string() }),
            json!({ "enabled": true, "authorizationHeader": format!("Basic {round}") }),
        ];
        let tasks = changes.clone().map(|body| {
            let (client, path) = (client.clone(), format!("/v2/webhooks/{id}"));
            actix_web::rt::spawn(async move { expect(client.patch(&path, body).await, 200).status })
        });
        for task in tasks {
            assert_eq!(task.await.unwrap(), 200);
        }
        let read = read_equals(&client, &id).await;
        for (member, value) in changes
            .iter()
            .flat_map(|change| change.as_object().unwrap())
        {
            assert_eq!(read[member], *value, "round {round}");
        }
    }
}

/// E-26, E-27, E-39: a change and a deletion touch no other webhook, however alike.
#[actix_web::test]
async fn a_change_touches_no_other_webhook() {
    let app = TestApp::start().await;
    let client = app.equals();
    let ids = [
        id_of(&create_equals(&client, equals_full_body()).await),
        id_of(&create_equals(&client, equals_full_body()).await),
        id_of(&create_equals(&client, equals_full_body()).await),
    ];
    let (first, last) = (
        read_equals(&client, &ids[0]).await,
        read_equals(&client, &ids[2]).await,
    );
    change(
        &client,
        &ids[1],
        json!({ "enabled": false, "url": "https://example.org/", "sharedSecret": null }),
    )
    .await;
    expect(
        client.delete(&format!("/v2/webhooks/{}", ids[1])).await,
        204,
    );
    assert_eq!(read_equals(&client, &ids[0]).await, first);
    assert_eq!(read_equals(&client, &ids[2]).await, last);
}
