//! Tests of what every operation of `/conduit` has in common: credentials, unknown paths, wrong methods, types and sizes.

use serde_json::json;

use super::app::{Answer, Client, TestApp};
use super::shape::{
    JSON_TYPES, OTHER_TYPES, assert_allows, assert_conduit_error, assert_conduit_invalid,
    assert_conduit_not_found, conduit_body, conduit_ids, create_conduit, expect, expect_one_of,
    id_of, read_conduit, send_raw, sound, with,
};

const JSON: Option<&str> = Some("application/json");

/// All five operations, with a body where they take one.
async fn every_operation(client: &Client, id: &str) -> Vec<Answer> {
    let path = format!("/webhooks/{id}");
    vec![
        client.post("/webhooks", conduit_body()).await,
        client.get("/webhooks").await,
        client.get(&path).await,
        client.patch(&path, json!({ "status": "disabled" })).await,
        client.delete(&path).await,
    ]
}

/// The sandbox's client with the credentials spoilt in every way that C-3 knows.
async fn unauthenticated(app: &TestApp) -> Vec<Client> {
    let (own, other) = (app.conduit(), app.conduit_other().await);
    let (key, secret) = ("X-API-Key", "X-API-Secret");
    let mut clients = vec![
        app.anonymous("/conduit"),
        own.without_header(key),
        own.without_header(secret),
        own.with_header(key, "sandbox-secret")
            .with_header(secret, "sandbox-key"),
        other.with_header(key, "sandbox-key"),
        other.with_header(secret, "sandbox-secret"),
        app.anonymous("/conduit")
            .with_header("Authorization", "ApiKey sandbox-key"),
        app.anonymous("/conduit")
            .with_header("Authorization", "Bearer sandbox-operator"),
        app.anonymous("/conduit").with_header(
            "Authorization",
            "Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ=",
        ),
    ];
    for wrong in [
        "",
        "wrong",
        "sandbox-keys",
        "Sandbox-Key",
        "SANDBOX-SECRET",
        "' OR '1'='1",
        "*",
        "%",
        "null",
        &"k".repeat(4_000),
    ] {
        clients.push(own.with_header(key, wrong));
        clients.push(own.with_header(secret, wrong));
        clients.push(own.with_header(key, wrong).with_header(secret, wrong));
    }
    clients
}

/// C-2, C-3, C-21: without both credentials, or with a wrong one, every operation answers 401 with the same body.
#[actix_web::test]
async fn wrong_credentials_answer_401_with_the_same_body() {
    let app = TestApp::start().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let before = read_conduit(&app.conduit(), &id).await;
    let mut bodies = Vec::new();
    for client in unauthenticated(&app).await {
        for answer in every_operation(&client, &id).await {
            bodies.push(assert_conduit_error(answer, 401, Some("Authentication error")).text());
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(read_conduit(&app.conduit(), &id).await, before);
    assert_eq!(conduit_ids(&app.conduit()).await, [id]);
}

/// C-3: the credentials are judged before the body.
#[actix_web::test]
async fn credentials_are_judged_before_the_body() {
    let app = TestApp::start().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let client = app.conduit().with_header("X-API-Secret", "wrong");
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"url\":5,\"status\":5,\"events\":5}",
        "{\"url\":\"\\ud800\"}",
    ] {
        for (method, path) in [
            ("POST", "/webhooks".to_owned()),
            ("PATCH", format!("/webhooks/{id}")),
        ] {
            assert_conduit_error(
                client.send(method, &path, JSON, body.as_bytes()).await,
                401,
                Some("Authentication error"),
            );
        }
    }
}

/// C-3: credentials that are not text are wrong credentials.
#[actix_web::test]
async fn credentials_of_any_bytes_are_survived() {
    let app = TestApp::start().await;
    for (key, secret) in [
        (&b"\xff\xfe"[..], &b"sandbox-secret"[..]),
        (b"sandbox-key", b"\xc3\xa9"),
        (b"\x80", b"\x80"),
        (b"\t", b"\t"),
    ] {
        let head = b"GET /conduit/webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ";
        let request = [&head[..], key, b"\r\nX-API-Secret: ", secret, b"\r\n\r\n"].concat();
        let (status, answer) = send_raw(&app, request).await;
        assert!(matches!(status, 400 | 401), "{answer}");
    }
}

/// C-4: `Authorization` is not read and `Api-Version` is ignored, whatever they say.
#[actix_web::test]
async fn other_headers_are_ignored() {
    let app = TestApp::start().await;
    for authorization in [
        "",
        "Bearer wrong",
        "ApiKey wrong",
        "Basic !!!",
        "sandbox-key",
        "Bearer",
    ] {
        expect(
            app.conduit()
                .with_header("Authorization", authorization)
                .get("/webhooks")
                .await,
            200,
        );
    }
    for version in [
        "2024-12-01",
        "2023-01-01",
        "9999-99-99",
        "2",
        "",
        "latest",
        "'; DROP TABLE webhooks; --",
    ] {
        let client = app.conduit().with_header("Api-Version", version);
        let id = id_of(&create_conduit(&client, conduit_body()).await);
        for answer in every_operation(&client, &id).await {
            expect_one_of(answer, &[200, 201, 204]);
        }
    }
    for (name, value) in [
        ("Accept", "text/html"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "br;q=x"),
        ("Cookie", "a=b"),
        ("Origin", "null"),
    ] {
        expect(
            app.conduit()
                .with_header(name, value)
                .get("/webhooks")
                .await,
            200,
        );
    }
}

/// C-1, C-34: a path outside the operations answers 404; there are no test, redeliver, rotate or delivery operations.
#[actix_web::test]
async fn unknown_paths_answer_404() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let mut paths: Vec<String> = [
        "",
        "/",
        "/nothing",
        "/webhook",
        "/Webhooks",
        "/WEBHOOKS",
        "/webhooks.json",
        "/2024-12-01/webhooks",
        "/v1/webhooks",
        "/counterparties",
    ]
    .map(str::to_owned)
    .into();
    for operation in [
        "test",
        "redeliver",
        "retry",
        "rotate",
        "rotate-secret",
        "secret",
        "deliveries",
        "events",
        "a/b/c",
    ] {
        paths.push(format!("/webhooks/{id}/{operation}"));
    }
    for path in &paths {
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT"] {
            let body: &[u8] = if method == "GET" || method == "DELETE" {
                b""
            } else {
                b"{}"
            };
            let content_type = (!body.is_empty()).then_some("application/json");
            assert_conduit_404(client.send(method, path, content_type, body).await);
        }
    }
    assert_eq!(read_conduit(&client, &id).await, before);
}

/// A 404 of the shape of C-21; whether an unknown path is titled as C-21 titles a 404 or with the reason phrase is left open.
#[track_caller]
fn assert_conduit_404(answer: Answer) {
    let title = answer.json()["title"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        title == "Webhook not found" || title == "Not Found",
        "{}",
        answer.text()
    );
    assert_conduit_error(answer, 404, Some(&title));
}

/// C-34: the names of other versions' operations are ids like any others.
#[actix_web::test]
async fn names_of_other_operations_are_unknown_ids() {
    let app = TestApp::start().await;
    for name in ["deliveries", "event-types", "endpoints", "events", "test"] {
        assert_conduit_not_found(app.conduit().get(&format!("/webhooks/{name}")).await);
        assert_conduit_not_found(app.conduit().delete(&format!("/webhooks/{name}")).await);
    }
}

/// C-1: the bare paths exist below `/conduit` only.
#[actix_web::test]
async fn the_api_is_served_below_its_base_path_only() {
    let app = TestApp::start().await;
    let client = app
        .anonymous("")
        .with_header("X-API-Key", "sandbox-key")
        .with_header("X-API-Secret", "sandbox-secret");
    assert_eq!(sound(client.get("/webhooks").await).status, 404);
    assert_eq!(
        sound(client.post("/webhooks", conduit_body()).await).status,
        404
    );
    assert_eq!(sound(client.get("/conduitwebhooks").await).status, 404);
    assert_eq!(sound(client.get("/CONDUIT/webhooks").await).status, 404);
    expect(client.get("/conduit/webhooks").await, 200);
}

/// C-22: a wrong method on a known path answers 405 and says which methods there are.
#[actix_web::test]
async fn wrong_methods_answer_405() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    let item = format!("/webhooks/{id}");
    for method in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO", "get"] {
        let answer =
            assert_conduit_error(client.send(method, "/webhooks", None, b"").await, 405, None);
        assert_allows(&answer, &["GET", "HEAD", "POST"], method);
    }
    for method in ["POST", "PUT", "TRACE", "PROPFIND", "FOO", "delete"] {
        let answer = assert_conduit_error(client.send(method, &item, None, b"").await, 405, None);
        assert_allows(&answer, &["GET", "HEAD", "PATCH", "DELETE"], method);
    }
    let body = with(&conduit_body(), "status", "disabled").to_string();
    assert_conduit_error(
        client.send("PUT", &item, JSON, body.as_bytes()).await,
        405,
        None,
    );
    for method in ["HEAD", "OPTIONS"] {
        sound(client.send(method, "/webhooks", None, b"").await);
        sound(client.send(method, &item, None, b"").await);
    }
    assert_eq!(read_conduit(&client, &id).await, before);
    assert_eq!(conduit_ids(&client).await, [id]);
}

/// C-22, C-21: a content type other than `application/json` answers 415 and does nothing.
#[actix_web::test]
async fn other_content_types_answer_415() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let before = read_conduit(&client, &id).await;
    for content_type in OTHER_TYPES {
        let body = conduit_body().to_string();
        assert_conduit_error(
            client
                .send("POST", "/webhooks", Some(content_type), body.as_bytes())
                .await,
            415,
            None,
        );
        let body = b"{\"status\":\"disabled\"}";
        assert_conduit_error(
            client
                .send(
                    "PATCH",
                    &format!("/webhooks/{id}"),
                    Some(content_type),
                    body,
                )
                .await,
            415,
            None,
        );
    }
    assert_eq!(read_conduit(&client, &id).await, before);
    assert_eq!(conduit_ids(&client).await, [id]);
}

/// C-22: content types at the edge of the grammar are answered, and never with a 5xx.
#[actix_web::test]
async fn doubtful_content_types_are_survived() {
    let app = TestApp::start().await;
    let body = conduit_body().to_string();
    for content_type in [
        "",
        ";",
        "/",
        "application/",
        "application/*",
        "*/*",
        "application/json;",
        "application/json; charset",
        "application/json, text/plain",
    ] {
        expect_one_of(
            app.conduit()
                .send("POST", "/webhooks", Some(content_type), body.as_bytes())
                .await,
            &[201, 400, 415],
        );
    }
    for (name, value) in [
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "br"),
        ("Content-Encoding", "nonsense"),
        ("Content-Encoding", "identity"),
    ] {
        expect_one_of(
            app.conduit()
                .with_header(name, value)
                .send("POST", "/webhooks", JSON, body.as_bytes())
                .await,
            &[201, 400, 415],
        );
    }
}

/// C-22: whoever asks for another charset than UTF-8 is not misread.
#[actix_web::test]
async fn utf_16_is_not_read_as_something_else() {
    let app = TestApp::start().await;
    let body: Vec<u8> = conduit_body()
        .to_string()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    expect_one_of(
        app.conduit()
            .send(
                "POST",
                "/webhooks",
                Some("application/json; charset=utf-16"),
                &body,
            )
            .await,
        &[400, 415],
    );
    assert!(conduit_ids(&app.conduit()).await.is_empty());
    assert!(
        JSON_TYPES
            .iter()
            .all(|content_type| !content_type.contains("16"))
    );
}

/// C-21: the body limit holds for bodies of unannounced length.
#[actix_web::test]
async fn a_chunked_body_over_the_limit_answers_413() {
    let app = TestApp::start_with(|config| config.max_body_bytes = 1_000).await;
    for (length, wanted) in [(1_000, 201), (1_001, 413)] {
        let mut body = conduit_body().to_string().into_bytes();
        body.resize(length, b' ');
        let mut request = b"POST /conduit/webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: sandbox-key\r\n\
            X-API-Secret: sandbox-secret\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
        for chunk in body.chunks(300) {
            request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        let (status, answer) = send_raw(&app, request).await;
        assert_eq!(status, wanted, "{answer}");
    }
    assert_eq!(conduit_ids(&app.conduit()).await.len(), 1);
}

/// C-33: there is no rate limit.
#[actix_web::test]
async fn no_rate_limit_is_applied() {
    let app = TestApp::start_with(|config| {
        config.providers.set("equals-money-rate-limit", ["1"]);
    })
    .await;
    for _ in 0..100 {
        expect(app.conduit().get("/webhooks").await, 200);
    }
}

/// C-19, C-21: errors after errors leave the server and the connection in order.
#[actix_web::test]
async fn the_server_answers_after_every_kind_of_error() {
    let app = TestApp::start().await;
    let client = app.conduit();
    for _ in 0..3 {
        assert_conduit_invalid(client.send("POST", "/webhooks", JSON, b"{").await, &[""]);
        assert_conduit_error(
            client
                .send("POST", "/webhooks", Some("text/plain"), b"x")
                .await,
            415,
            None,
        );
        assert_conduit_error(client.send("PUT", "/webhooks", None, b"").await, 405, None);
        assert_conduit_error(
            client.without_header("X-API-Key").get("/webhooks").await,
            401,
            Some("Authentication error"),
        );
        assert_conduit_not_found(client.get("/webhooks/nothing").await);
        let id = id_of(&create_conduit(&client, conduit_body()).await);
        expect(client.delete(&format!("/webhooks/{id}")).await, 204);
    }
}

/// C-3: credentials of one provider mean nothing to another's API.
#[actix_web::test]
async fn credentials_of_other_apis_are_unknown() {
    let app = TestApp::start().await;
    let client = app
        .anonymous("/conduit")
        .with_header("X-API-Key", "sandbox-operator")
        .with_header("X-API-Secret", "sandbox-operator");
    assert_conduit_error(
        client.get("/webhooks").await,
        401,
        Some("Authentication error"),
    );
}
