//! Tests of the pages below `/operator/` without a browser: who may see them, what forms they take, and what they make of hostile text.

use serde_json::json;

use super::app::{Answer, Client, TestApp, production};
use super::delivering::{
    accepted, conduit_event, conduit_webhook, delivery_of, delivery_when, publish, recorded,
};
use super::receiver::{Receiver, Reply};

const FORM: &str = "application/x-www-form-urlencoded";
const PAGES: [&str; 6] = ["", "deliveries", "events", "webhooks", "replays", "publish"];

/// Signs in with a key; gives the answer.
async fn sign_in(app: &TestApp, key: &str) -> Answer {
    let body = format!("key={key}&next=%2Foperator%2Fwebhooks");
    let client = app.anonymous("/operator");
    client
        .send("POST", "/sign-in", Some(FORM), body.as_bytes())
        .await
}

/// A browser that signed in with a key.
async fn signed_in(app: &TestApp, key: &str) -> Client {
    let answer = sign_in(app, key).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), Some("./webhooks"));
    let cookie = answer.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " HttpOnly; SameSite=Strict");
    app.anonymous("/operator").with_header("Cookie", pair)
}

/// The token that forms of this session carry.
async fn form_token(client: &Client) -> String {
    let page = client.get("/replays").await.text();
    let (_, rest) = page.split_once("name=\"form-token\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[actix_web::test]
async fn pages_are_for_those_who_signed_in_with_a_key_of_the_operator_api() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous("/operator");
    for page in PAGES {
        let answer = anonymous.get(&format!("/{page}")).await;
        assert_eq!(answer.status, 303, "{page}");
        let location = answer.header("location").unwrap();
        assert!(
            location.starts_with("./sign-in?next=%2Foperator%2F"),
            "{location}"
        );
    }
    let wrong = sign_in(&app, "wrong").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let client = signed_in(&app, "sandbox-operator").await;
    for page in PAGES {
        let answer = client.get(&format!("/{page}")).await;
        assert_eq!(answer.status, 200, "{page}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(
            client
                .send("HEAD", &format!("/{page}"), None, b"")
                .await
                .status,
            200
        );
    }
    assert_eq!(client.get("/nothing").await.status, 404);
    assert_eq!(client.delete("/deliveries").await.status, 405);
}

#[actix_web::test]
async fn a_session_ends_with_its_key_and_by_signing_out() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let made = accepted(
        &operator
            .post("/keys", json!({ "provider": "operator" }))
            .await,
        201,
    );
    let key = made["headers"]["Authorization"].as_str().unwrap();
    let client = signed_in(&app, key.strip_prefix("Bearer ").unwrap()).await;
    assert_eq!(client.get("/").await.status, 200);
    let path = format!("/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(operator.delete(&path).await.status, 204);
    assert_eq!(client.get("/").await.status, 303);

    let client = signed_in(&app, "sandbox-operator").await;
    let body = format!("form-token={}", form_token(&client).await);
    let out = client
        .send("POST", "/sign-out", Some(FORM), body.as_bytes())
        .await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(client.get("/").await.status, 303);
}

#[actix_web::test]
async fn a_form_of_another_site_or_another_session_changes_nothing() {
    let app = TestApp::start().await;
    let (client, other) = (
        signed_in(&app, "sandbox-operator").await,
        signed_in(&app, "sandbox-operator").await,
    );
    let (own, foreign) = (form_token(&client).await, form_token(&other).await);
    let host = app.base.strip_prefix("http://").unwrap();
    let body = |token: &str| format!("run=count&state=pending&form-token={token}");
    for (client, token, status) in [
        (client.clone(), own.as_str(), 303),
        (client.clone(), foreign.as_str(), 403),
        (client.clone(), "", 403),
        (
            client.with_header("Origin", "https://example.com"),
            &own,
            403,
        ),
        (client.with_header("Origin", "null"), &own, 403),
        (
            client.with_header("Origin", &format!("http://{host}")),
            &own,
            303,
        ),
        (
            client.with_header("Sec-Fetch-Site", "cross-site"),
            &own,
            403,
        ),
        (client.with_header("Sec-Fetch-Site", "same-site"), &own, 403),
        (
            client.with_header("Sec-Fetch-Site", "same-origin"),
            &own,
            303,
        ),
        (client.without_header("Cookie"), &own, 303),
    ] {
        let answer = client
            .send("POST", "/replays", Some(FORM), body(token).as_bytes())
            .await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[actix_web::test]
async fn what_receivers_and_customers_write_is_text_on_every_page() {
    const HOSTILE: &str = "</pre><script>alert(1)</script>\"'";
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    receiver.reply([Reply::With(503, HOSTILE.to_owned())]);
    conduit_webhook(&app, &format!("{}/?'&quot;onerror=alert(2)", receiver.url)).await;
    let id = delivery_of(&client, &publish(&client, conduit_event()).await).await;
    delivery_when(&client, &id, recorded(1)).await;
    let page = signed_in(&app, "sandbox-operator").await;
    let query = "type=%3Cscript%3E&webhook=%22%3E%3Cscript%3E";
    for path in [
        "/".to_owned(),
        "/deliveries".to_owned(),
        format!("/deliveries?{query}"),
        format!("/deliveries/{id}"),
        "/webhooks".to_owned(),
        format!("/replays?{query}"),
        "/sign-in?next=%22%3E%3Cscript%3E".to_owned(),
    ] {
        let text = page.get(&path).await.text();
        assert!(!text.contains("<script>"), "{path}: {text}");
        assert_eq!(text.matches("<script").count(), 1, "{path}");
    }
    let text = page.get(&format!("/deliveries/{id}")).await.text();
    assert!(text.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(text.contains("503 Service Unavailable: the fault is on its side"));
}

#[actix_web::test]
async fn a_filter_that_cannot_be_read_is_named_and_shows_nothing() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    conduit_webhook(&app, &receiver.url).await;
    let operator = app.operator();
    delivery_of(&operator, &publish(&operator, conduit_event()).await).await;
    let client = signed_in(&app, "sandbox-operator").await;
    for (page, filter, expected) in [
        ("deliveries", "state=bogus", "exhausted or cancelled"),
        ("deliveries", "outcome=zz", "failed or failure"),
        ("deliveries", "from=yesterday", "2026-01-31T15:00"),
        ("deliveries", "to=tomorrow", "2026-01-31T15:00"),
        ("deliveries", "provider=operator", "conduit or equals-money"),
        ("deliveries", "cursor=x", "the links below"),
        ("deliveries", "type=tpyo", "an event type of a provider"),
        ("events", "type=BoxCredted", "did you mean “BoxCredited”?"),
        ("webhooks", "type=a.b", "an event type of a provider"),
        ("events", "provider=zz", "conduit or equals-money"),
        ("webhooks", "provider=zz", "conduit or equals-money"),
        ("webhooks", "enabled=maybe", "true or false"),
    ] {
        let all = client.get(&format!("/{page}?provider=conduit")).await;
        assert!(all.status == 200 && all.text().contains("<tbody>"));
        let answer = client.get(&format!("/{page}?{filter}")).await;
        let text = answer.text();
        assert_eq!(answer.status, 400, "{filter}: {text}");
        assert!(
            text.contains(&format!("Invalid filter “{filter}”")),
            "{text}"
        );
        assert!(
            text.contains(expected) && !text.contains("<tbody>"),
            "{text}"
        );
    }
}

#[actix_web::test]
async fn a_payload_has_the_limit_of_the_operator_api() {
    let app = TestApp::start_with(|config| config.max_body_bytes = 2_000).await;
    let client = signed_in(&app, "sandbox-operator").await;
    let token = form_token(&client).await;
    // The last one is too large for any form.
    for (spaces, status) in [(1_800, 200), (2_001, 413), (200_000, 413)] {
        let space = "+".repeat(spaces);
        let event = "type=equals-money/BoxCredited";
        let body = format!("form-token={token}&{event}&data=%7B%22a%22:{space}1%7D");
        let answer = client
            .send("POST", "/publish", Some(FORM), body.as_bytes())
            .await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{spaces}: {text}");
        assert_eq!(text.contains("at most 2000 bytes"), status == 413, "{text}");
    }
}

#[actix_web::test]
async fn a_database_that_is_away_is_answered_with_when_to_try_again() {
    let app = TestApp::start().await;
    let client = signed_in(&app, "sandbox-operator").await;
    let token = form_token(&client).await;
    app.take_away();
    let publication = "type=equals-money/BoxCredited";
    for (path, fields) in [("/publish", publication), ("/replays", "state=pending")] {
        let body = format!("form-token={token}&{fields}&run=count");
        let answer = client.send("POST", path, Some(FORM), body.as_bytes()).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(answer.text().contains("Try again later"));
    }
}

#[actix_web::test]
async fn signing_in_to_production_names_a_command_that_makes_a_key() {
    let app = TestApp::start_with(production).await;
    let page = app.anonymous("/operator").get("/sign-in").await.text();
    let (_, rest) = page.split_once("<code>").unwrap();
    let command = rest.split_once("</code>").unwrap().0;
    let words = command.split(' ').map(std::ffi::OsString::from);
    assert!(crate::cli::parses(words), "{command}");
}
