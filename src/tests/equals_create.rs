//! Tests of `POST /equals-money/v2/webhooks`: what is taken, what is refused and what the answer shows.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::app::{Answer, EQUALS_PRODUCT, TestApp};
use super::shape::{
    BAD_URLS, EQUALS_CREATED_MEMBERS, GOOD_URLS, JSON_TYPES, MAX_BODY_BYTES, OTHER_THAN_OBJECTS,
    assert_equals_error, assert_equals_refused, assert_uuid_v4, create_equals, cut_to_second,
    deep_bodies, equals_body, equals_full_body, expect, expect_one_of, id_of, list_equals,
    malformed_bodies, member_names, padded, read_equals, row_ids, sound, url_of_length, with,
    without,
};

const JSON: Option<&str> = Some("application/json");
const BOX_CREDITED: &str = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
const EITHER_TYPE_MEMBER: &[&str] = &["", "/webhookEventTypeId", "/webhookEventTypeName"];

/// Posts the body to the product of the sandbox.
async fn post(app: &TestApp, body: Value) -> Answer {
    app.equals().post("/v2/webhooks", body).await
}

/// How many webhooks there are.
async fn count(app: &TestApp) -> u64 {
    list_equals(&app.equals(), "").await["count"]
        .as_u64()
        .unwrap()
}

/// E-1, E-25, E-28, E-30: the request of the source page answers 201 with every member, supplied optionals at the end.
#[actix_web::test]
async fn the_documented_request_creates_a_webhook() {
    let app = TestApp::start().await;
    let created = create_equals(&app.equals(), equals_full_body()).await;
    for (member, value) in equals_full_body().as_object().unwrap() {
        assert_eq!(created[member], *value);
    }
    assert_eq!(
        created["webhookEventTypeId"],
        "a4dcc403-41aa-4f2e-acf6-32dbaec78e72"
    );
    assert_eq!(created["productId"], EQUALS_PRODUCT);
    let mut optionals = member_names(&created)[9..].to_vec();
    optionals.sort_unstable();
    assert_eq!(optionals, ["authorizationHeader", "sharedSecret"]);
}

/// E-30: unset and null optionals are omitted, `accountId` is shown as null, and the order is the documented one.
#[actix_web::test]
async fn unset_optionals_are_omitted() {
    let app = TestApp::start().await;
    let nulls = json!({ "accountId": null, "authorizationHeader": null, "sharedSecret": null });
    for subset in 0..8_usize {
        let mut body = equals_body();
        for (bit, (member, value)) in nulls.as_object().unwrap().iter().enumerate() {
            if subset & (1 << bit) != 0 {
                body = with(&body, member, value.clone());
            }
        }
        let created = create_equals(&app.equals(), body).await;
        assert_eq!(member_names(&created), EQUALS_CREATED_MEMBERS);
        assert_eq!(created["accountId"], Value::Null);
    }
    let created = create_equals(&app.equals(), with(&equals_body(), "accountId", "F12345")).await;
    assert_eq!(member_names(&created), EQUALS_CREATED_MEMBERS);
    assert_eq!(created["accountId"], "F12345");
    for (member, other) in [
        ("authorizationHeader", "sharedSecret"),
        ("sharedSecret", "authorizationHeader"),
    ] {
        let created = create_equals(
            &app.equals(),
            with(&with(&equals_body(), member, "given"), other, Value::Null),
        )
        .await;
        assert_eq!(member_names(&created)[9..], [member]);
        assert_eq!(created[member], "given");
    }
}

/// E-29, E-26: ids are random UUIDs of version 4, another for every webhook, also for the same request.
#[actix_web::test]
async fn the_same_request_creates_another_webhook() {
    let app = TestApp::start().await;
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let id = id_of(&create_equals(&app.equals(), equals_full_body()).await);
        assert_uuid_v4(&id);
        assert!(ids.insert(id));
    }
    assert_eq!(
        row_ids(&list_equals(&app.equals(), "").await)
            .into_iter()
            .collect::<HashSet<_>>(),
        ids
    );
}

/// E-28: every webhook of a product has its product id; another product has another.
#[actix_web::test]
async fn the_product_belongs_to_the_key() {
    let app = TestApp::start().await;
    let other = app.equals_other().await;
    for _ in 0..3 {
        assert_eq!(
            create_equals(&app.equals(), equals_body()).await["productId"],
            EQUALS_PRODUCT
        );
    }
    let product = create_equals(&other, equals_body()).await["productId"].clone();
    assert_uuid_v4(product.as_str().unwrap());
    assert_ne!(product, EQUALS_PRODUCT);
    let ignored = with(&equals_body(), "productId", EQUALS_PRODUCT);
    assert_eq!(create_equals(&other, ignored).await["productId"], product);
}

/// E-32, E-34: created with milliseconds, read to the second, cut and not rounded.
#[actix_web::test]
async fn times_are_cut_to_the_second_when_read() {
    let app = TestApp::start().await;
    for _ in 0..20 {
        let created = create_equals(&app.equals(), equals_body()).await;
        let read = read_equals(&app.equals(), &id_of(&created)).await;
        assert_eq!(read["createdAt"], cut_to_second(&created["createdAt"]));
        assert_eq!(read["updatedAt"], cut_to_second(&created["updatedAt"]));
    }
}

/// E-11, E-13: each missing required member is named; the event type may be missing at either member.
#[actix_web::test]
async fn every_missing_member_is_named() {
    let app = TestApp::start().await;
    assert_equals_error(
        post(&app, without(&equals_body(), "url")).await,
        400,
        &["/url"],
    );
    assert_equals_error(
        post(&app, without(&equals_body(), "enabled")).await,
        400,
        &["/enabled"],
    );
    assert_equals_error(
        post(&app, json!({ "webhookEventTypeId": BOX_CREDITED })).await,
        400,
        &["/enabled", "/url"],
    );
    assert_equals_refused(
        post(&app, without(&equals_body(), "webhookEventTypeName")).await,
        EITHER_TYPE_MEMBER,
    );
    let answer = post(&app, json!({})).await;
    for pointer in ["/url", "/enabled"] {
        assert!(
            answer.pointers().iter().any(|found| found == pointer),
            "{}",
            answer.text()
        );
    }
    assert_equals_refused(
        answer,
        &[
            "/url",
            "/enabled",
            "",
            "/webhookEventTypeId",
            "/webhookEventTypeName",
        ],
    );
    assert_eq!(count(&app).await, 0);
}

/// E-14, E-15: name, id, or both if they agree.
#[actix_web::test]
async fn the_event_type_is_given_by_name_or_id_or_both() {
    let app = TestApp::start().await;
    let nameless = without(&equals_body(), "webhookEventTypeName");
    for body in [
        equals_body(),
        with(&nameless, "webhookEventTypeId", BOX_CREDITED),
        with(&equals_body(), "webhookEventTypeId", BOX_CREDITED),
    ] {
        let created = create_equals(&app.equals(), body).await;
        assert_eq!(created["webhookEventTypeName"], "BoxCredited");
        assert_eq!(created["webhookEventTypeId"], BOX_CREDITED);
    }
    let contradiction = with(
        &equals_body(),
        "webhookEventTypeId",
        "fc05160e-0f0c-44e0-87a8-e2f093b09ff4",
    );
    assert_equals_refused(post(&app, contradiction).await, EITHER_TYPE_MEMBER);
    assert_equals_refused(post(&app, nameless).await, EITHER_TYPE_MEMBER);
    assert_eq!(count(&app).await, 3);
}

/// E-16, E-41, E-48: names are compared exactly, and one outside the catalogue is refused.
#[actix_web::test]
async fn an_unknown_event_type_name_is_refused() {
    let app = TestApp::start().await;
    for name in [
        "boxcredited",
        "BOXCREDITED",
        "BoxCredited ",
        " BoxCredited",
        "BoxCredited\u{0}",
        "BoxCredited\n",
        "Box Credited",
        "Box",
        "*",
        "%",
        "BoxCredite_",
        "IdentityVerificationRequested",
        "KybInformationRequest",
        "customer.created",
        "' OR '1'='1",
        "",
        "null",
        BOX_CREDITED,
        "\u{1f600}",
    ] {
        let body = with(&equals_body(), "webhookEventTypeName", name);
        assert_equals_error(post(&app, body).await, 400, &["/webhookEventTypeName"]);
    }
    for length in [256, 257, 100_000] {
        let body = with(&equals_body(), "webhookEventTypeName", "B".repeat(length));
        assert_equals_error(post(&app, body).await, 400, &["/webhookEventTypeName"]);
    }
    assert_eq!(count(&app).await, 0);
}

/// E-16, E-44: an id outside the catalogue, or no UUID, is refused.
#[actix_web::test]
async fn an_unknown_event_type_id_is_refused() {
    let app = TestApp::start().await;
    let nameless = without(&equals_body(), "webhookEventTypeName");
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "25d5b682-7449-4d07-b6fc-7c9bf1239562",
        "66854098-aac7-4084-938e-bc2e62fb6a44",
        "da91434a-4026-42ea-84b8-d0317b64af9c",
        "ed6dfe0e-6cf2-43d5-9f35-aebg587f4e77",
        "25d5b68274494d07b6fc7c9bf1239561",
        "{25d5b682-7449-4d07-b6fc-7c9bf1239561}",
        "urn:uuid:25d5b682-7449-4d07-b6fc-7c9bf1239561",
        " 25d5b682-7449-4d07-b6fc-7c9bf1239561",
        "25d5b682-7449-4d07-b6fc-7c9bf1239561\u{0}",
        "BoxCredited",
        "",
        "' OR '1'='1",
    ] {
        assert_equals_error(
            post(&app, with(&nameless, "webhookEventTypeId", id)).await,
            400,
            &["/webhookEventTypeId"],
        );
    }
    assert_equals_error(
        post(
            &app,
            with(&nameless, "webhookEventTypeId", "2".repeat(100_000)),
        )
        .await,
        400,
        &["/webhookEventTypeId"],
    );
    assert_eq!(count(&app).await, 0);
}

/// E-19: a known member of another type is refused without coercion; null only where it is documented.
#[actix_web::test]
async fn a_member_of_another_type_is_refused() {
    let app = TestApp::start().await;
    let other_than_strings = [
        json!(true),
        json!(false),
        json!(0),
        json!(1.5),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "x": "y" }),
    ];
    let members = [
        "url",
        "webhookEventTypeName",
        "webhookEventTypeId",
        "accountId",
        "sharedSecret",
        "authorizationHeader",
    ];
    let body = with(
        &equals_full_body(),
        "webhookEventTypeId",
        "a4dcc403-41aa-4f2e-acf6-32dbaec78e72",
    );
    for member in members {
        for value in &other_than_strings {
            assert_equals_error(
                post(&app, with(&body, member, value.clone())).await,
                400,
                &[&format!("/{member}")],
            );
        }
    }
    for member in [
        "url",
        "enabled",
        "webhookEventTypeName",
        "webhookEventTypeId",
    ] {
        assert_equals_error(
            post(&app, with(&body, member, Value::Null)).await,
            400,
            &[&format!("/{member}")],
        );
    }
    for value in [
        json!("true"),
        json!("false"),
        json!(""),
        json!("yes"),
        json!(0),
        json!(1),
        json!(1.0),
        json!([]),
        json!([true]),
        json!({}),
    ] {
        assert_equals_error(
            post(&app, with(&body, "enabled", value)).await,
            400,
            &["/enabled"],
        );
    }
    assert_eq!(count(&app).await, 0);
}

/// E-19: `enabled` is kept as given.
#[actix_web::test]
async fn a_webhook_may_be_created_disabled() {
    let app = TestApp::start().await;
    for enabled in [true, false] {
        let created = create_equals(&app.equals(), with(&equals_body(), "enabled", enabled)).await;
        assert_eq!(created["enabled"], enabled);
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["enabled"],
            enabled
        );
    }
}

/// E-20, E-21: an absolute URL with a host is taken and kept as written; its host is not asked anything.
#[actix_web::test]
async fn an_absolute_url_is_taken_as_written() {
    let app = TestApp::start().await;
    for url in GOOD_URLS {
        let created = create_equals(&app.equals(), with(&equals_body(), "url", *url)).await;
        assert_eq!(created["url"], *url);
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["url"],
            *url
        );
    }
}

/// E-20: other schemes, no host, and texts that are not URLs are refused.
#[actix_web::test]
async fn a_url_of_another_scheme_or_without_a_host_is_refused() {
    let app = TestApp::start().await;
    let mut taken = Vec::new();
    for url in BAD_URLS {
        let answer = sound(post(&app, with(&equals_body(), "url", *url)).await);
        if answer.status == 201 {
            taken.push(url);
        } else {
            assert_equals_error(answer, 400, &["/url"]);
        }
    }
    assert!(taken.is_empty(), "taken as URLs: {taken:?}");
    assert_eq!(count(&app).await, 0);
}

/// E-20: 512 characters are the longest URL.
#[actix_web::test]
async fn a_url_has_at_most_512_characters() {
    let app = TestApp::start().await;
    for length in [511, 512] {
        let created = create_equals(
            &app.equals(),
            with(&equals_body(), "url", url_of_length(length)),
        )
        .await;
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["url"],
            url_of_length(length)
        );
    }
    for length in [513, 2048, 200_000] {
        assert_equals_error(
            post(&app, with(&equals_body(), "url", url_of_length(length))).await,
            400,
            &["/url"],
        );
    }
    assert_eq!(count(&app).await, 2);
}

/// E-22, E-30, E-31: a shared secret is any string of 1 to 36 characters, whether or not a UUID, and is returned in clear.
#[actix_web::test]
async fn a_shared_secret_is_any_short_string() {
    let app = TestApp::start().await;
    for secret in [
        "123e4567-e89b-12d3-a456-426614174000".to_owned(),
        "x".to_owned(),
        " ".to_owned(),
        "not a uuid".to_owned(),
        "\"\\/\n\r\t".to_owned(),
        "'; DROP TABLE webhooks; --".to_owned(),
        "\u{0}".to_owned(),
        "null".to_owned(),
        "\u{e9}".repeat(36),
        "\u{1f600}".repeat(36),
        "s".repeat(36),
    ] {
        let created = create_equals(
            &app.equals(),
            with(&equals_body(), "sharedSecret", secret.clone()),
        )
        .await;
        assert_eq!(created["sharedSecret"], secret);
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["sharedSecret"],
            secret
        );
    }
    let before = count(&app).await;
    for secret in [
        String::new(),
        "s".repeat(37),
        "\u{1f600}".repeat(37),
        "s".repeat(100_000),
    ] {
        assert_equals_error(
            post(&app, with(&equals_body(), "sharedSecret", secret)).await,
            400,
            &["/sharedSecret"],
        );
    }
    assert_eq!(count(&app).await, before);
}

/// E-23: an authorization header has 1 to 512 characters that may stand in an HTTP header; line breaks would inject headers.
#[actix_web::test]
async fn an_authorization_header_may_stand_in_a_header() {
    let app = TestApp::start().await;
    for header in [
        "Basic AXVubzpwQDU1dzByYM==".to_owned(),
        "Basic AXVubzpwQDU1dzByYM== ".to_owned(),
        "Bearer a\tb".to_owned(),
        "YOUR_AUTHORIZATION_HEADER".to_owned(),
        "x".to_owned(),
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".to_owned(),
        "h".repeat(512),
    ] {
        let created = create_equals(
            &app.equals(),
            with(&equals_body(), "authorizationHeader", header.clone()),
        )
        .await;
        assert_eq!(created["authorizationHeader"], header);
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["authorizationHeader"],
            header
        );
    }
    let before = count(&app).await;
    for header in [
        String::new(),
        "h".repeat(513),
        "h".repeat(100_000),
        "Basic x\r\nX-Injected: 1".to_owned(),
        "Basic x\nX-Injected: 1".to_owned(),
        "Basic x\r".to_owned(),
        "\n".to_owned(),
        "Basic x\r\n\r\nGET / HTTP/1.1".to_owned(),
        "Basic \u{0}".to_owned(),
        "Basic \u{1}".to_owned(),
        "Basic \u{8}".to_owned(),
        "Basic \u{b}".to_owned(),
        "Basic \u{c}".to_owned(),
        "Basic \u{1b}[31m".to_owned(),
        "Basic \u{1f}".to_owned(),
        "Basic \u{7f}".to_owned(),
    ] {
        assert_equals_error(
            post(&app, with(&equals_body(), "authorizationHeader", header)).await,
            400,
            &["/authorizationHeader"],
        );
    }
    assert_eq!(count(&app).await, before);
}

/// E-23: characters outside ASCII, and blanks at the ends, are taken as they are or refused, never changed.
#[actix_web::test]
async fn a_doubtful_authorization_header_is_answered() {
    let app = TestApp::start().await;
    for header in [
        "Basic \u{e9}",
        "Basic \u{1f600}",
        "Basic \u{85}",
        "Basic \u{2028}x",
        " Basic x",
        "\t",
        " ",
    ] {
        let answer = expect_one_of(
            post(&app, with(&equals_body(), "authorizationHeader", header)).await,
            &[201, 400],
        );
        if answer.status == 201 {
            assert_eq!(
                read_equals(&app.equals(), &id_of(&answer.json())).await["authorizationHeader"],
                header
            );
        } else {
            assert_equals_error(answer, 400, &["/authorizationHeader"]);
        }
    }
}

/// E-24: an account id is any string of 1 to 36 characters, or null; no account needs to exist.
#[actix_web::test]
async fn an_account_id_is_any_short_string() {
    let app = TestApp::start().await;
    for account in [
        "F12345".to_owned(),
        "C12345".to_owned(),
        "f".to_owned(),
        " ".to_owned(),
        "{accountId}".to_owned(),
        "null".to_owned(),
        "../../etc/passwd".to_owned(),
        "' OR '1'='1".to_owned(),
        "\u{e9}".repeat(36),
        "\u{1f600}".repeat(36),
        "a".repeat(36),
    ] {
        let created = create_equals(
            &app.equals(),
            with(&equals_body(), "accountId", account.clone()),
        )
        .await;
        assert_eq!(created["accountId"], account);
        assert_eq!(
            read_equals(&app.equals(), &id_of(&created)).await["accountId"],
            account
        );
    }
    let before = count(&app).await;
    for account in [
        String::new(),
        "a".repeat(37),
        "\u{1f600}".repeat(37),
        "a".repeat(100_000),
    ] {
        assert_equals_error(
            post(&app, with(&equals_body(), "accountId", account)).await,
            400,
            &["/accountId"],
        );
    }
    assert_eq!(count(&app).await, before);
    let answer = expect_one_of(
        post(&app, with(&equals_body(), "accountId", "F\u{0}1")).await,
        &[201, 400],
    );
    if answer.status == 201 {
        assert_eq!(
            read_equals(&app.equals(), &id_of(&answer.json())).await["accountId"],
            "F\u{0}1"
        );
    }
}

/// E-25: the onboarding types are taken with an account id and without.
#[actix_web::test]
async fn onboarding_types_are_taken_with_an_account() {
    let app = TestApp::start().await;
    for name in [
        "AccountActivated",
        "IdentityVerificationRequest",
        "KycInformationRequested",
        "KybInformationRequested",
        "ApplicationStatusUpdated",
        "AccountStatusUpdated",
    ] {
        let body = with(&equals_body(), "webhookEventTypeName", name);
        assert_eq!(
            create_equals(&app.equals(), body.clone()).await["accountId"],
            Value::Null
        );
        assert_eq!(
            create_equals(&app.equals(), with(&body, "accountId", "F12345")).await["accountId"],
            "F12345"
        );
    }
}

/// E-13, E-11: a body with several faults answers with one detail for each.
#[actix_web::test]
async fn every_fault_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({
        "url": 5, "enabled": "true", "webhookEventTypeName": "Nope", "accountId": "", "sharedSecret": "s".repeat(37),
        "authorizationHeader": "a\r\nb", "unknown": null,
    });
    let pointers = [
        "/url",
        "/enabled",
        "/webhookEventTypeName",
        "/accountId",
        "/sharedSecret",
        "/authorizationHeader",
    ];
    assert_equals_error(post(&app, body).await, 400, &pointers);

    let body = json!({
        "url": "ftp://example.com/", "enabled": null, "webhookEventTypeId": "no-uuid", "accountId": 5, "sharedSecret": [], "authorizationHeader": {},
    });
    let pointers = [
        "/url",
        "/enabled",
        "/webhookEventTypeId",
        "/accountId",
        "/sharedSecret",
        "/authorizationHeader",
    ];
    assert_equals_error(post(&app, body).await, 400, &pointers);

    let body = json!({ "webhookEventTypeName": 1, "webhookEventTypeId": 2 });
    assert_equals_error(
        post(&app, body).await,
        400,
        &[
            "/url",
            "/enabled",
            "/webhookEventTypeName",
            "/webhookEventTypeId",
        ],
    );
    assert_eq!(count(&app).await, 0);
}

/// E-18: unknown members are ignored, those of the answer among them.
#[actix_web::test]
async fn unknown_members_are_ignored() {
    let app = TestApp::start().await;
    let mut body = equals_body();
    for (member, value) in [
        ("id", json!("a4dcc403-41aa-4f2e-acf6-32dbaec78e72")),
        ("productId", json!(null)),
        ("createdAt", json!("2020-01-01T00:00:00.000Z")),
        ("updatedAt", json!(5)),
        ("Enabled", json!("x")),
        ("webhookeventName", json!("BoxDebited")),
        ("webhookeventTypeId", json!("x")),
        ("SharedSecret", json!("x")),
        ("", json!([[]])),
        ("__proto__", json!({ "enabled": false })),
        ("\u{0}", json!(1)),
    ] {
        body = with(&body, member, value);
    }
    let created = create_equals(&app.equals(), body).await;
    assert_eq!(member_names(&created), EQUALS_CREATED_MEMBERS);
    assert_ne!(created["id"], "a4dcc403-41aa-4f2e-acf6-32dbaec78e72");
    assert_eq!(created["productId"], EQUALS_PRODUCT);
    assert_eq!(created["webhookEventTypeName"], "BoxCredited");
    assert_ne!(created["createdAt"], "2020-01-01T00:00:00.000Z");
}

/// E-38: the query of a create request is not read, `accountId` included.
#[actix_web::test]
async fn the_query_is_ignored() {
    let app = TestApp::start().await;
    for query in [
        "?accountId=F12345",
        "?accountId=a&accountId=b",
        "?limit=x",
        "?",
        "?%00",
        "?%ff=%fe",
        "?x=1&x=2",
        "?'%20OR%201=1--",
    ] {
        let created = expect(
            app.equals()
                .post(&format!("/v2/webhooks{query}"), equals_body())
                .await,
            201,
        )
        .json();
        assert_eq!(created["accountId"], Value::Null, "{query}");
    }
}

/// E-11, E-13: malformed JSON is a fault of the body as a whole.
#[actix_web::test]
async fn malformed_json_is_refused_as_a_whole() {
    let app = TestApp::start().await;
    for (_, body) in malformed_bodies() {
        assert_equals_error(
            app.equals().send("POST", "/v2/webhooks", JSON, &body).await,
            400,
            &[""],
        );
    }
    for body in OTHER_THAN_OBJECTS {
        assert_equals_error(
            app.equals()
                .send("POST", "/v2/webhooks", JSON, body.as_bytes())
                .await,
            400,
            &[""],
        );
    }
    assert_eq!(count(&app).await, 0);
}

/// E-11: bodies of extreme depth are refused, and as unknown members they do no harm.
#[actix_web::test]
async fn deep_bodies_are_survived() {
    let app = TestApp::start().await;
    for body in deep_bodies() {
        expect(
            app.equals().send("POST", "/v2/webhooks", JSON, &body).await,
            400,
        );
    }
    let mut taken = 0;
    for depth in [50, 120, 130, 1_000, 100_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = equals_body()
            .to_string()
            .replacen('{', &format!("{{\"x\":{nested},"), 1);
        let allowed: &[u16] = if depth <= 50 { &[201] } else { &[201, 400] };
        taken += u64::from(
            expect_one_of(
                app.equals()
                    .send("POST", "/v2/webhooks", JSON, body.as_bytes())
                    .await,
                allowed,
            )
            .status
                == 201,
        );
    }
    assert_eq!(count(&app).await, taken);
}

/// E-11, E-19: strange but lawful JSON is answered with 201 or 400, and what was created is one of what was said.
#[actix_web::test]
async fn strange_json_is_answered() {
    let app = TestApp::start().await;
    let (url, rest) = (
        "\"url\":\"https://example.com/\"",
        "\"enabled\":true,\"webhookEventTypeName\":\"BoxCredited\"",
    );
    let refused = [
        format!("{{\"url\":\"https://example.com/\\ud800\",{rest}}}"),
        format!("{{{url},{rest},\"sharedSecret\":\"\\ud800\"}}"),
        format!("{{{url},{rest},\"accountId\":\"\\udc00\\ud800\"}}"),
        format!("{{{url},{rest},\"authorizationHeader\":\"\\udfff\"}}"),
        format!("{{\"url\":1e400,{rest}}}"),
        format!("{{{url},{rest},\"sharedSecret\":-1e400}}"),
        format!("{{{url},{rest},\"accountId\":{}}}", "9".repeat(10_000)),
        format!("{{{url},\"enabled\":1e400,\"webhookEventTypeName\":\"BoxCredited\"}}"),
        "1e400".to_owned(),
        "\"\\ud800\"".to_owned(),
    ];
    for body in refused {
        let answer = app
            .equals()
            .send("POST", "/v2/webhooks", JSON, body.as_bytes())
            .await;
        assert_equals_refused(
            answer,
            &[
                "",
                "/url",
                "/sharedSecret",
                "/accountId",
                "/authorizationHeader",
                "/enabled",
            ],
        );
    }
    assert_eq!(count(&app).await, 0);

    let open = [
        format!("\u{feff}{{{url},{rest}}}"),
        format!("{{{url},{rest},\"x\":1e400}}"),
        format!("{{{url},{rest},\"x\":\"\\ud800\"}}"),
        format!("{{{url},{rest},\"\\ud800\":1}}"),
        format!("{{\"url\":\"https://example.org/\",{url},{rest}}}"),
        format!("{{{url},{rest},\"enabled\":false}}"),
        format!("{{{url},{rest},\"webhookEventTypeName\":\"BoxDebited\"}}"),
        format!("{{{url},{rest},\"sharedSecret\":\"a\",\"sharedSecret\":null}}"),
        format!("{{{url},\"url\":5,{rest}}}"),
        format!("{{{url},{rest},\"x\":1,\"x\":2}}"),
    ];
    let mut taken = 0;
    for body in open {
        let answer = expect_one_of(
            app.equals()
                .send("POST", "/v2/webhooks", JSON, body.as_bytes())
                .await,
            &[201, 400],
        );
        if answer.status == 201 {
            taken += 1;
            let read = read_equals(&app.equals(), &id_of(&answer.json())).await;
            for member in ["url", "enabled", "webhookEventTypeName"] {
                assert_eq!(read[member], answer.json()[member]);
            }
        }
    }
    assert_eq!(count(&app).await, taken);
}

/// E-18: member names may be written with escapes.
#[actix_web::test]
async fn escaped_member_names_are_the_same_members() {
    let app = TestApp::start().await;
    let body = r#"{"\u0075rl":"https:\/\/example.com\/\u0061","en\u0061bled":false,"webhookEventTypeName":"Box\u0043redited"}"#;
    let created = expect(
        app.equals()
            .send("POST", "/v2/webhooks", JSON, body.as_bytes())
            .await,
        201,
    )
    .json();
    assert_eq!(created["url"], "https://example.com/a");
    assert_eq!(created["enabled"], false);
    assert_eq!(created["webhookEventTypeName"], "BoxCredited");
}

/// E-9: `application/json` in any case and with parameters is taken.
#[actix_web::test]
async fn json_is_taken_however_its_type_is_written() {
    let app = TestApp::start().await;
    for content_type in JSON_TYPES {
        let body = equals_body().to_string();
        expect(
            app.equals()
                .send("POST", "/v2/webhooks", Some(content_type), body.as_bytes())
                .await,
            201,
        );
    }
}

/// E-10: 262,144 bytes are the largest body; one more answers 413.
#[actix_web::test]
async fn a_body_over_the_limit_answers_413() {
    let app = TestApp::start().await;
    let body = padded(&equals_body(), MAX_BODY_BYTES);
    expect(
        app.equals().send("POST", "/v2/webhooks", JSON, &body).await,
        201,
    );
    for length in [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES, 1_048_576] {
        let body = padded(&equals_body(), length);
        assert_equals_error(
            app.equals().send("POST", "/v2/webhooks", JSON, &body).await,
            413,
            &[],
        );
    }
    assert_eq!(count(&app).await, 1);
}

/// E-26: 100 creates at once are all answered, and all listed exactly once.
#[actix_web::test]
async fn a_hundred_parallel_creates_are_all_kept() {
    let app = TestApp::start().await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let client = app.equals();
            actix_web::rt::spawn(async move {
                let account = format!("F{number}");
                let created = create_equals(
                    &client,
                    with(&equals_full_body(), "accountId", account.clone()),
                )
                .await;
                assert_eq!(created["accountId"], account);
                id_of(&created)
            })
        })
        .collect();
    let mut created = Vec::new();
    for task in tasks {
        created.push(task.await.unwrap());
    }
    let list = list_equals(&app.equals(), "").await;
    assert_eq!(list["count"], 100);
    let mut listed = row_ids(&list);
    created.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, created);
}
