//! Tests of `POST /conduit/webhooks`: what is taken, what is refused and what the answer shows.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::app::{CONDUIT_CLIENT, TestApp, production};
use super::shape::{
    BAD_URLS, CONDUIT_EVENTS, GOOD_URLS, JSON_TYPES, MAX_BODY_BYTES, OTHER_THAN_OBJECTS,
    assert_conduit_error, assert_conduit_invalid, assert_conduit_refused, assert_conduit_webhook,
    assert_ksuid, assert_own, assert_secret, conduit_body, conduit_body_to, conduit_ids,
    create_conduit, deep_bodies, encode, expect, expect_one_of, id_of, ksuid_seconds,
    malformed_bodies, padded, read_conduit, sound, url_of_length, with, without,
};

const JSON: Option<&str> = Some("application/json");

/// C-1, C-5, C-9: the documented create request answers 201 with the documented members.
#[actix_web::test]
async fn the_documented_request_creates_a_webhook() {
    let app = TestApp::start().await;
    let body = json!({
        "url": "https://www.example.com/webhooks", "status": "enabled", "events": ["counterparty.active"], "organizationId": CONDUIT_CLIENT,
    });
    let answer = expect(app.conduit().post("/webhooks", body.clone()).await, 201);
    let created = answer.json();
    assert_conduit_webhook(&created, false);
    for member in ["url", "status", "events", "organizationId"] {
        assert_eq!(created[member], body[member]);
    }
    let read = read_conduit(&app.conduit(), &id_of(&created)).await;
    assert_eq!(without(&read, "secret"), created);
}

/// C-7, C-9: without `organizationId` the webhook gets the caller's own client id, everywhere.
#[actix_web::test]
async fn an_omitted_organization_is_the_callers_own() {
    let app = TestApp::start().await;
    let created = create_conduit(&app.conduit(), conduit_body()).await;
    assert_own(&created);
    assert_own(&read_conduit(&app.conduit(), &id_of(&created)).await);

    let others = create_conduit(&app.conduit_other().await, conduit_body()).await;
    assert_ne!(others["organizationId"], CONDUIT_CLIENT);
}

/// C-8: a well-formed id of another client is refused, in both directions.
#[actix_web::test]
async fn a_foreign_organization_is_refused() {
    let app = TestApp::start().await;
    let other = app.conduit_other().await;
    let others = create_conduit(&other, conduit_body()).await["organizationId"].clone();
    for organization in [
        others.clone(),
        json!("client_0ujsswThIGTUYm2K8FjOOfXtY1K"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hEv"),
    ] {
        let body = with(&conduit_body(), "organizationId", organization);
        assert_conduit_invalid(
            app.conduit().post("/webhooks", body).await,
            &["/organizationId"],
        );
    }
    let body = with(&conduit_body(), "organizationId", CONDUIT_CLIENT);
    assert_conduit_invalid(other.post("/webhooks", body).await, &["/organizationId"]);
    assert!(conduit_ids(&app.conduit()).await.is_empty());
    assert_eq!(conduit_ids(&other).await.len(), 1);
    create_conduit(&other, with(&conduit_body(), "organizationId", others)).await;
}

/// C-31, C-25: `organizationId` follows its pattern; the guide's sample has 26 characters and is refused.
#[actix_web::test]
async fn a_malformed_organization_is_refused() {
    let app = TestApp::start().await;
    let malformed = [
        json!("client_2zsj24vsMLU9emYzu2rZXlJhQs"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hEu0"),
        json!("client_"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hE-"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hE\u{e9}"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hEu\n"),
        json!(" client_2ofTA13AD0xBtbEvBl20aEb1hEu"),
        json!("client_2ofTA13AD0xBtbEvBl20aEb1hEu\u{0}"),
        json!("CLIENT_2ofTA13AD0xBtbEvBl20aEb1hEu"),
        json!("whk_2ofTA13AD0xBtbEvBl20aEb1hEu"),
        json!("2ofTA13AD0xBtbEvBl20aEb1hEu"),
        json!("your_client_id"),
        json!("' OR '1'='1"),
        json!("c".repeat(100_000)),
        json!(""),
        json!(null),
        json!(true),
        json!(0),
        json!([CONDUIT_CLIENT]),
        json!({ "id": CONDUIT_CLIENT }),
    ];
    for organization in malformed {
        let body = with(&conduit_body(), "organizationId", organization);
        assert_conduit_invalid(
            app.conduit().post("/webhooks", body).await,
            &["/organizationId"],
        );
    }
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-6, C-19: `url`, `events` and `status` are required; each missing one is a fault of its own.
#[actix_web::test]
async fn every_missing_member_is_named() {
    let app = TestApp::start().await;
    let members = ["url", "events", "status"];
    for missing in 1..8_usize {
        let mut body = conduit_body();
        let mut pointers = Vec::new();
        for (bit, member) in members.iter().enumerate() {
            if missing & (1 << bit) != 0 {
                body = without(&body, member);
                pointers.push(format!("/{member}"));
            }
        }
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        assert_conduit_invalid(app.conduit().post("/webhooks", body).await, &pointers);
    }
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-25: a required member of another type, `null` included, is refused without coercion.
#[actix_web::test]
async fn a_member_of_another_type_is_refused() {
    let app = TestApp::start().await;
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1.5),
        json!({}),
        json!({ "0": "enabled" }),
        json!([[]]),
    ];
    for member in ["url", "status"] {
        for value in values.iter().chain(&[
            json!([]),
            json!(["enabled"]),
            json!(["https://example.com/"]),
        ]) {
            let body = with(&conduit_body(), member, value.clone());
            assert_conduit_invalid(
                app.conduit().post("/webhooks", body).await,
                &[&format!("/{member}")],
            );
        }
    }
    for value in values.iter().take(8).chain(&[
        json!("customer.active"),
        json!(""),
        json!("[\"customer.active\"]"),
    ]) {
        let body = with(&conduit_body(), "events", value.clone());
        assert_conduit_invalid(app.conduit().post("/webhooks", body).await, &["/events"]);
    }
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-25: `status` is exactly `enabled` or `disabled`.
#[actix_web::test]
async fn status_is_one_of_two_words() {
    let app = TestApp::start().await;
    for status in ["enabled", "disabled"] {
        let created = create_conduit(&app.conduit(), with(&conduit_body(), "status", status)).await;
        assert_eq!(created["status"], status);
        assert_eq!(
            read_conduit(&app.conduit(), &id_of(&created)).await["status"],
            status
        );
    }
    for status in [
        "",
        "ENABLED",
        "Enabled",
        " enabled",
        "enabled ",
        "enabled\u{0}",
        "active",
        "true",
        "paused",
        "en\u{0430}bled",
    ] {
        assert_conduit_invalid(
            app.conduit()
                .post("/webhooks", with(&conduit_body(), "status", status))
                .await,
            &["/status"],
        );
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), 2);
}

/// C-32: each of the 28 events can be subscribed, alone and all together.
#[actix_web::test]
async fn every_event_of_the_enum_is_taken() {
    let app = TestApp::start().await;
    for event in CONDUIT_EVENTS {
        let created =
            create_conduit(&app.conduit(), with(&conduit_body(), "events", vec![event])).await;
        assert_eq!(created["events"], json!([event]));
    }
    let created = create_conduit(
        &app.conduit(),
        with(&conduit_body(), "events", CONDUIT_EVENTS.to_vec()),
    )
    .await;
    assert_eq!(created["events"], json!(CONDUIT_EVENTS));
    assert_eq!(
        read_conduit(&app.conduit(), &id_of(&created)).await["events"],
        json!(CONDUIT_EVENTS)
    );
}

/// C-32, C-25: no other event is taken, whatever it looks like; the pointer names the item.
#[actix_web::test]
async fn an_event_outside_the_enum_is_refused() {
    let app = TestApp::start().await;
    let others = [
        json!(""),
        json!("customer"),
        json!("customer.*"),
        json!("*"),
        json!("customer.failed_to_create"),
        json!("transaction.failed"),
        json!("application.approved"),
        json!("BoxCredited"),
        json!("Customer.Active"),
        json!("CUSTOMER.ACTIVE"),
        json!(" customer.active"),
        json!("customer.active\u{0}"),
        json!("your_subscribed_event"),
        json!("e".repeat(50_000)),
        json!(null),
        json!(true),
        json!(7),
        json!([]),
        json!(["customer.active"]),
        json!({}),
    ];
    for event in others {
        for events in [
            json!([event.clone()]),
            json!([event.clone(), "customer.active"]),
        ] {
            assert_conduit_invalid(
                app.conduit()
                    .post("/webhooks", with(&conduit_body(), "events", events))
                    .await,
                &["/events/0"],
            );
        }
        let events = json!(["customer.active", "customer.created", event]);
        assert_conduit_invalid(
            app.conduit()
                .post("/webhooks", with(&conduit_body(), "events", events))
                .await,
            &["/events/2"],
        );
    }
    assert_conduit_invalid(
        app.conduit()
            .post("/webhooks", with(&conduit_body(), "events", json!([])))
            .await,
        &["/events"],
    );
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-23: duplicate events are folded, and the order of first occurrence is kept.
#[actix_web::test]
async fn duplicate_events_are_folded() {
    let app = TestApp::start().await;
    let (a, b, c) = (
        "transaction.completed",
        "customer.active",
        "counterparty.deleted",
    );
    for (given, kept) in [
        (vec![a, a], vec![a]),
        (vec![a, b, a], vec![a, b]),
        (vec![c, b, b, a, c, a], vec![c, b, a]),
        (vec![b; 1000], vec![b]),
    ] {
        let created = create_conduit(&app.conduit(), with(&conduit_body(), "events", given)).await;
        assert_eq!(created["events"], json!(kept));
        assert_eq!(
            read_conduit(&app.conduit(), &id_of(&created)).await["events"],
            json!(kept)
        );
    }
}

/// C-26, C-28: an absolute URL with a host is taken and kept as written; its host is not asked anything.
#[actix_web::test]
async fn an_absolute_url_is_taken_as_written() {
    let app = TestApp::start().await;
    for url in GOOD_URLS {
        let created = create_conduit(&app.conduit(), conduit_body_to(url)).await;
        assert_eq!(created["url"], *url);
        assert_eq!(
            read_conduit(&app.conduit(), &id_of(&created)).await["url"],
            *url
        );
    }
}

/// C-26: other schemes, no host, and texts that are not URLs are refused.
#[actix_web::test]
async fn a_url_of_another_scheme_or_without_a_host_is_refused() {
    let app = TestApp::start().await;
    let mut taken = Vec::new();
    for url in BAD_URLS {
        let answer = sound(app.conduit().post("/webhooks", conduit_body_to(url)).await);
        if answer.status == 201 {
            taken.push(url);
        } else {
            assert_conduit_invalid(answer, &["/url"]);
        }
    }
    assert!(taken.is_empty(), "taken as URLs: {taken:?}");
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-26: what no rule decides is answered all the same, and kept only if it was taken.
#[actix_web::test]
async fn a_doubtful_url_is_answered() {
    let app = TestApp::start().await;
    let mut taken = 0;
    for url in [
        "https://example.com:99999/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://b\u{fc}cher.example/",
        "https://example.com/\u{e9}",
        "https://example.com/%zz",
        "https://example.com/|",
        "https://0/",
        "https://0x7f.1/",
        "https://999.999.999.999/",
        "https://../",
        "https://-example-.com/",
        "https://example..com/",
        "https://\u{202e}moc.elpmaxe/",
    ] {
        let answer = expect_one_of(
            app.conduit().post("/webhooks", conduit_body_to(url)).await,
            &[201, 400],
        );
        if answer.status == 201 {
            taken += 1;
            assert_eq!(answer.json()["url"], url);
        } else {
            assert_conduit_invalid(answer, &["/url"]);
        }
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), taken);
}

/// C-27: 2048 characters are the longest URL.
#[actix_web::test]
async fn a_url_has_at_most_2048_characters() {
    let app = TestApp::start().await;
    for length in [2047, 2048] {
        let created = create_conduit(&app.conduit(), conduit_body_to(&url_of_length(length))).await;
        assert_eq!(
            read_conduit(&app.conduit(), &id_of(&created)).await["url"],
            url_of_length(length)
        );
    }
    for length in [2049, 4096, 200_000] {
        assert_conduit_invalid(
            app.conduit()
                .post("/webhooks", conduit_body_to(&url_of_length(length)))
                .await,
            &["/url"],
        );
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), 2);
}

/// C-19: a body with several faults answers with one item for each.
#[actix_web::test]
async fn every_fault_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({
        "url": 5, "events": ["nope", "customer.active", 7, null, "nope"], "status": "on", "organizationId": "client_short", "unknown": null,
    });
    let pointers = [
        "/url",
        "/events/0",
        "/events/2",
        "/events/3",
        "/events/4",
        "/status",
        "/organizationId",
    ];
    assert_conduit_invalid(app.conduit().post("/webhooks", body).await, &pointers);

    let body = json!({ "events": [], "organizationId": null });
    assert_conduit_invalid(
        app.conduit().post("/webhooks", body).await,
        &["/url", "/events", "/status", "/organizationId"],
    );

    let body = with(
        &with(&conduit_body(), "url", "ftp://example.com/"),
        "events",
        vec!["nope"; 30],
    );
    let pointers: Vec<String> = (0..30)
        .map(|at| format!("/events/{at}"))
        .chain(["/url".to_owned()])
        .collect();
    let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
    assert_conduit_invalid(app.conduit().post("/webhooks", body).await, &pointers);
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-24, C-10: unknown members are ignored, `id` and `secret` among them.
#[actix_web::test]
async fn unknown_members_are_ignored() {
    let app = TestApp::start().await;
    let mut body = conduit_body();
    for (member, value) in [
        ("id", json!("whk_2ofTA13AD0xBtbEvBl20aEb1hEu")),
        ("secret", json!("mine")),
        ("Url", json!(5)),
        ("URL", json!(null)),
        ("url ", json!([])),
        ("", json!("empty")),
        ("a/b~c", json!({ "deep": [{ "deeper": null }] })),
        ("__proto__", json!({ "status": "disabled" })),
        ("createdAt", json!("2020-01-01T00:00:00.000Z")),
        ("enabled", json!(false)),
        ("\u{1f600}", json!(1.5)),
    ] {
        body = with(&body, member, value);
    }
    let created = create_conduit(&app.conduit(), body).await;
    assert_ne!(created["id"], "whk_2ofTA13AD0xBtbEvBl20aEb1hEu");
    for member in ["url", "events", "status"] {
        assert_eq!(created[member], conduit_body()[member]);
    }
    let read = read_conduit(&app.conduit(), &id_of(&created)).await;
    assert_ne!(read["secret"], "mine");
}

/// C-10, C-11: the secret is 64 hexadecimal digits, another for every webhook, and not in the create response.
#[actix_web::test]
async fn every_webhook_has_a_secret_of_its_own() {
    let app = TestApp::start().await;
    let mut secrets = HashSet::new();
    for _ in 0..10 {
        let answer = expect(app.conduit().post("/webhooks", conduit_body()).await, 201);
        let read = read_conduit(&app.conduit(), &id_of(&answer.json())).await;
        assert_secret(&read["secret"]);
        let secret = read["secret"].as_str().unwrap().to_owned();
        assert!(!answer.text().contains(&secret));
        assert!(secrets.insert(secret));
    }
}

/// C-30: ids are KSUIDs of the time of creation, each used once.
#[actix_web::test]
async fn ids_are_ksuids() {
    let app = TestApp::start().await;
    let mut seen = HashSet::new();
    let mut before = 0;
    for _ in 0..20 {
        let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
        assert_ksuid("whk", &id);
        let seconds = ksuid_seconds(&id[4..]);
        assert!(seconds >= before, "{id} is older than its predecessor");
        before = seconds;
        assert!(seen.insert(id));
    }
}

/// C-29, C-33: the same request makes another webhook each time, with an `Idempotency-Key` too.
#[actix_web::test]
async fn the_same_request_creates_another_webhook() {
    let app = TestApp::start().await;
    let client = app
        .conduit()
        .with_header("Idempotency-Key", "6f0b3f0e-9f4a-4d5e-8f57-0f0a4a4b4c4d");
    let mut ids = HashSet::new();
    for _ in 0..5 {
        assert!(ids.insert(id_of(&create_conduit(&client, conduit_body()).await)));
        assert!(ids.insert(id_of(&create_conduit(&app.conduit(), conduit_body()).await)));
    }
    let listed = conduit_ids(&client).await;
    assert_eq!(listed.len(), 10);
    assert_eq!(listed.into_iter().collect::<HashSet<_>>(), ids);
}

/// C-29: 100 creates at once are all answered, and all listed exactly once.
#[actix_web::test]
async fn a_hundred_parallel_creates_are_all_kept() {
    let app = TestApp::start().await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let client = app.conduit();
            actix_web::rt::spawn(async move {
                let url = format!("https://example.com/{number}");
                let created = create_conduit(&client, conduit_body_to(&url)).await;
                assert_eq!(created["url"], url);
                id_of(&created)
            })
        })
        .collect();
    let mut created = Vec::new();
    for task in tasks {
        created.push(task.await.unwrap());
    }
    let mut listed = conduit_ids(&app.conduit()).await;
    created.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed.len(), 100);
    assert_eq!(listed, created);
}

/// C-22: `application/json` in any case and with parameters is taken, and so is a request without a type.
#[actix_web::test]
async fn json_is_taken_however_its_type_is_written() {
    let app = TestApp::start().await;
    let body = conduit_body().to_string();
    for content_type in JSON_TYPES.iter().map(|name| Some(*name)).chain([None]) {
        let answer = expect(
            app.conduit()
                .send("POST", "/webhooks", content_type, body.as_bytes())
                .await,
            201,
        );
        assert_conduit_webhook(&answer.json(), false);
    }
    assert_eq!(
        conduit_ids(&app.conduit()).await.len(),
        JSON_TYPES.len() + 1
    );
}

/// C-19: malformed JSON is a fault of the body as a whole.
#[actix_web::test]
async fn malformed_json_is_refused_as_a_whole() {
    let app = TestApp::start().await;
    for (_, body) in malformed_bodies() {
        assert_conduit_invalid(
            app.conduit().send("POST", "/webhooks", JSON, &body).await,
            &[""],
        );
    }
    for body in OTHER_THAN_OBJECTS {
        assert_conduit_invalid(
            app.conduit()
                .send("POST", "/webhooks", JSON, body.as_bytes())
                .await,
            &[""],
        );
    }
    assert!(conduit_ids(&app.conduit()).await.is_empty());
}

/// C-19: bodies of extreme depth are refused, and as unknown members they do no harm.
#[actix_web::test]
async fn deep_bodies_are_survived() {
    let app = TestApp::start().await;
    for body in deep_bodies() {
        assert_conduit_refused(app.conduit().send("POST", "/webhooks", JSON, &body).await);
    }
    let mut taken = 0;
    for depth in [50, 120, 130, 1_000, 100_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = conduit_body()
            .to_string()
            .replacen('{', &format!("{{\"x\":{nested},"), 1);
        let allowed: &[u16] = if depth <= 50 { &[201] } else { &[201, 400] };
        taken += usize::from(
            expect_one_of(
                app.conduit()
                    .send("POST", "/webhooks", JSON, body.as_bytes())
                    .await,
                allowed,
            )
            .status
                == 201,
        );
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), taken);
}

/// C-19, C-25: strange but lawful JSON is answered with 201 or 400, and what was created is one of what was said.
#[actix_web::test]
async fn strange_json_is_answered() {
    let app = TestApp::start().await;
    let rest = "\"events\":[\"customer.active\"],\"status\":\"enabled\"";
    let url = "\"url\":\"https://example.com/\"";
    let refused = [
        format!("{{\"url\":\"https://example.com/\\ud800\",{rest}}}"),
        format!("{{\"url\":\"https://example.com/\\udc00\\ud800\",{rest}}}"),
        format!("{{{url},\"events\":[\"\\ud83d\"],\"status\":\"enabled\"}}"),
        format!("{{\"url\":1e400,{rest}}}"),
        format!("{{\"url\":-1e400,{rest}}}"),
        format!("{{\"url\":{},{rest}}}", "9".repeat(10_000)),
        format!("{{{url},\"events\":1e400,\"status\":\"enabled\"}}"),
        format!("{{{url},\"events\":[1e400],\"status\":\"enabled\"}}"),
        "1e400".to_owned(),
        "\"\\ud800\"".to_owned(),
    ];
    for body in refused {
        assert_conduit_refused(
            app.conduit()
                .send("POST", "/webhooks", JSON, body.as_bytes())
                .await,
        );
    }
    assert!(conduit_ids(&app.conduit()).await.is_empty());

    let open = [
        format!("\u{feff}{{{url},{rest}}}"),
        format!("{{{url},{rest},\"x\":1e400}}"),
        format!("{{{url},{rest},\"x\":{}}}", "9".repeat(10_000)),
        format!("{{{url},{rest},\"x\":\"\\ud800\"}}"),
        format!("{{{url},{rest},\"\\ud800\":1}}"),
        format!("{{\"url\":\"https://example.org/\",{url},{rest}}}"),
        format!("{{{url},{url},{rest},{rest}}}"),
        format!("{{{url},\"url\":5,{rest}}}"),
        format!("{{\"url\":null,{url},{rest}}}"),
        format!("{{{url},{rest},\"x\":1,\"x\":2}}"),
    ];
    let mut taken = 0;
    for body in open {
        let answer = expect_one_of(
            app.conduit()
                .send("POST", "/webhooks", JSON, body.as_bytes())
                .await,
            &[201, 400],
        );
        if answer.status == 201 {
            taken += 1;
            let read = read_conduit(&app.conduit(), &id_of(&answer.json())).await;
            assert_eq!(read["url"], answer.json()["url"]);
            assert!(
                ["https://example.com/", "https://example.org/"]
                    .contains(&read["url"].as_str().unwrap()),
                "{read}"
            );
        }
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), taken);
}

/// C-24: member names may be written with escapes, and a NUL makes another, unknown member.
#[actix_web::test]
async fn escaped_member_names_are_the_same_members() {
    let app = TestApp::start().await;
    let body = r#"{"\u0075rl":"https:\/\/example.com\/\u0061","events":["customer\u002eactive"],"st\u0061tus":"enabled","url\u0000":5}"#;
    let created = expect(
        app.conduit()
            .send("POST", "/webhooks", JSON, body.as_bytes())
            .await,
        201,
    )
    .json();
    assert_eq!(created["url"], "https://example.com/a");
    assert_eq!(created["events"], json!(["customer.active"]));
}

/// C-21: 262,144 bytes are the largest body; one more answers 413.
#[actix_web::test]
async fn a_body_over_the_limit_answers_413() {
    let app = TestApp::start().await;
    let body = padded(&conduit_body(), MAX_BODY_BYTES);
    expect(
        app.conduit().send("POST", "/webhooks", JSON, &body).await,
        201,
    );
    for length in [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES, 1_048_576] {
        let body = padded(&conduit_body(), length);
        assert_conduit_error(
            app.conduit().send("POST", "/webhooks", JSON, &body).await,
            413,
            None,
        );
    }
    let huge = with(&conduit_body(), "url", "u".repeat(MAX_BODY_BYTES));
    assert_conduit_error(app.conduit().post("/webhooks", huge).await, 413, None);
    assert_eq!(conduit_ids(&app.conduit()).await.len(), 1);
}

/// C-13, C-24: the query of a create request is not read.
#[actix_web::test]
async fn hostile_queries_of_create_are_survived() {
    let app = TestApp::start().await;
    for query in [
        "?",
        "?x",
        "?page[size]=0",
        "?url=a&url=b",
        "?%00",
        "?%ff=%fe",
        "?'%20OR%201=1--",
        &format!("?q={}", "a".repeat(8_000)),
    ] {
        sound(
            app.conduit()
                .post(&format!("/webhooks{query}"), conduit_body())
                .await,
        );
    }
    let query = format!("?q={}", encode("\u{1f600}\u{0}\r\nX-Injected: 1"));
    let answer = sound(
        app.conduit()
            .post(&format!("/webhooks{query}"), conduit_body())
            .await,
    );
    assert_eq!(answer.header("x-injected"), None);
}

/// C-26, C-3: in production mode `http` is refused, `https` is not, and the sandbox's credentials are unknown.
#[actix_web::test]
async fn production_mode_takes_https_only() {
    let app = TestApp::start_with(production).await;
    let client = app.conduit_other().await;
    create_conduit(&client, conduit_body()).await;
    create_conduit(&client, conduit_body_to("HTTPS://example.com/")).await;
    for url in [
        "http://example.com/webhooks",
        "HTTP://example.com/",
        "http://localhost:9999/",
        "http://127.0.0.1/",
    ] {
        assert_conduit_invalid(
            client.post("/webhooks", conduit_body_to(url)).await,
            &["/url"],
        );
    }
    assert_eq!(conduit_ids(&client).await.len(), 2);
    assert_conduit_error(
        app.conduit().post("/webhooks", conduit_body()).await,
        401,
        Some("Authentication error"),
    );
}

/// C-29: what was created together with others keeps its own members.
#[actix_web::test]
async fn webhooks_do_not_share_members() {
    let app = TestApp::start().await;
    let mut expected: Vec<Value> = Vec::new();
    for (number, event) in CONDUIT_EVENTS.iter().enumerate() {
        let status = if number % 2 == 0 {
            "enabled"
        } else {
            "disabled"
        };
        let body = json!({ "url": format!("https://example.com/{number}"), "events": [event], "status": status });
        expected.push(create_conduit(&app.conduit(), body).await);
    }
    for created in expected {
        let read = read_conduit(&app.conduit(), &id_of(&created)).await;
        assert_eq!(without(&read, "secret"), created);
    }
}
