//! Tests of what every operation of `/equals-money` has in common: credentials, unknown paths, wrong methods, types, sizes and rates.

use serde_json::json;

use super::app::{Answer, Client, TestApp, production};
use super::shape::{
    OTHER_TYPES, assert_allows, assert_equals_error, create_equals, equals_body, equals_full_body,
    expect, expect_one_of, id_of, list_equals, read_equals, send_raw, sound, with,
};

const JSON: Option<&str> = Some("application/json");
const BOX_CREDITED: &str = "25d5b682-7449-4d07-b6fc-7c9bf1239561";

/// All seven operations, with a body where they take one.
async fn every_operation(client: &Client, id: &str) -> Vec<Answer> {
    let path = format!("/v2/webhooks/{id}");
    vec![
        client.get("/v2/webhooks/event-types").await,
        client
            .get(&format!("/v2/webhooks/event-types/{BOX_CREDITED}"))
            .await,
        client.get("/v2/webhooks").await,
        client.post("/v2/webhooks", equals_body()).await,
        client.get(&path).await,
        client.patch(&path, json!({ "enabled": false })).await,
        client.delete(&path).await,
    ]
}

/// E-3, E-10: no header, another scheme or an empty key answers 401 on every operation, and nothing is changed.
#[actix_web::test]
async fn a_missing_key_answers_401() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_full_body()).await);
    let before = read_equals(&app.equals(), &id).await;
    let anonymous = app.anonymous("/equals-money");
    let mut clients = vec![
        anonymous.clone(),
        app.equals().without_header("Authorization"),
        anonymous.with_header("X-API-Key", "sandbox-key"),
        anonymous
            .with_header("X-API-Key", "sandbox-key")
            .with_header("X-API-Secret", "sandbox-secret"),
        anonymous.with_header("ApiKey", "sandbox-key"),
        anonymous.with_header("Cookie", "Authorization=ApiKey sandbox-key"),
    ];
    for value in [
        "",
        " ",
        "ApiKey",
        "ApiKey ",
        "apikey",
        "sandbox-key",
        "YOUR_API_KEY_HERE",
        "Bearer sandbox-key",
        "Basic c2FuZGJveC1rZXk=",
        "Key sandbox-key",
        "Api-Key sandbox-key",
        "ApiKeysandbox-key",
        "ApiKeys sandbox-key",
        "Bearer",
        "Bearer ApiKey sandbox-key",
        "\"ApiKey\" sandbox-key",
        "ApiKey:sandbox-key",
        "ApiKey=sandbox-key",
        "' OR '1'='1",
    ] {
        clients.push(anonymous.with_header("Authorization", value));
    }
    for client in clients {
        for answer in every_operation(&client, &id).await {
            assert_equals_error(answer, 401, &[]);
        }
    }
    assert_eq!(read_equals(&app.equals(), &id).await, before);
    assert_eq!(list_equals(&app.equals(), "").await["count"], 1);
}

/// E-4, E-10: an unknown key answers 403 on every operation, and nothing is changed.
#[actix_web::test]
async fn an_unknown_key_answers_403() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_full_body()).await);
    let before = read_equals(&app.equals(), &id).await;
    for key in [
        "wrong",
        "sandbox",
        "sandbox-keys",
        "Sandbox-Key",
        "SANDBOX-KEY",
        "sandbox-operator",
        "sandbox-secret",
        "1070598f-6540-4c8a-b08f-f7c33dcc726a",
        "'",
        "'--",
        "*",
        "%",
        "null",
        "\"sandbox-key\"",
        "sandbox-key,",
        &"k".repeat(4_000),
    ] {
        let client = app
            .equals()
            .with_header("Authorization", &format!("ApiKey {key}"));
        for answer in every_operation(&client, &id).await {
            assert_equals_error(answer, 403, &[]);
        }
    }
    assert_eq!(read_equals(&app.equals(), &id).await, before);
    assert_eq!(list_equals(&app.equals(), "").await["count"], 1);
}

/// E-5: the scheme is compared without regard to case; E-7: whoever sends it.
#[actix_web::test]
async fn the_scheme_may_be_in_any_case() {
    let app = TestApp::start().await;
    for scheme in ["ApiKey", "apikey", "APIKEY", "aPIkEY", "Apikey"] {
        let client = app
            .equals()
            .with_header("Authorization", &format!("{scheme} sandbox-key"));
        let id = id_of(&create_equals(&client, equals_body()).await);
        for answer in every_operation(&client, &id).await {
            expect_one_of(answer, &[200, 201, 204]);
        }
    }
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
    ] {
        expect(
            app.equals()
                .with_header(name, value)
                .get("/v2/webhooks")
                .await,
            200,
        );
    }
}

/// E-3, E-4: a key with something beside it is not a key of ours.
#[actix_web::test]
async fn doubtful_credentials_are_answered() {
    let app = TestApp::start().await;
    for value in [
        "ApiKey sandbox-key x",
        "ApiKey sandbox-key, ApiKey sandbox-key",
        "ApiKey\tx",
        "ApiKey , sandbox-key",
        "ApiKey ApiKey sandbox-key",
    ] {
        let client = app.equals().with_header("Authorization", value);
        expect_one_of(client.get("/v2/webhooks").await, &[401, 403]);
    }
    for value in [
        &b"ApiKey \xff\xfe"[..],
        b"\xff",
        b"ApiKey \xc3\xa9",
        b"Api\xffKey x",
    ] {
        let head = b"GET /equals-money/v2/webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ";
        let (status, answer) = send_raw(&app, [&head[..], value, b"\r\n\r\n"].concat()).await;
        assert!(matches!(status, 400 | 401 | 403), "{answer}");
    }
}

/// E-3, E-4: the credentials are judged before the body.
#[actix_web::test]
async fn credentials_are_judged_before_the_body() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    for (client, status) in [
        (app.anonymous("/equals-money"), 401),
        (
            app.equals()
                .with_header("Authorization", "Bearer sandbox-key"),
            401,
        ),
        (
            app.equals().with_header("Authorization", "ApiKey wrong"),
            403,
        ),
    ] {
        for body in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            "{\"url\":5,\"enabled\":5}",
            "{\"url\":\"\\ud800\"}",
        ] {
            for (method, path) in [
                ("POST", "/v2/webhooks".to_owned()),
                ("PATCH", format!("/v2/webhooks/{id}")),
            ] {
                assert_equals_error(
                    client.send(method, &path, JSON, body.as_bytes()).await,
                    status,
                    &[],
                );
            }
        }
    }
}

/// E-4: in production mode the sandbox's key is unknown.
#[actix_web::test]
async fn production_mode_does_not_know_the_sandbox_key() {
    let app = TestApp::start_with(production).await;
    assert_equals_error(app.equals().get("/v2/webhooks").await, 403, &[]);
    let other = app.equals_other().await;
    let created = create_equals(&other, with(&equals_body(), "url", "https://example.com/")).await;
    read_equals(&other, &id_of(&created)).await;
}

/// E-40, E-1, E-2: a path outside the seven operations answers 404.
#[actix_web::test]
async fn unknown_paths_answer_404() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let before = read_equals(&client, &id).await;
    let mut paths: Vec<String> = [
        "",
        "/",
        "/nothing",
        "/v2",
        "/v2/",
        "/v2/nothing",
        "/webhooks",
        "/v1/webhooks",
        "/v3/webhooks",
        "/v2/webhook",
        "/v2/Webhooks",
        "/V2/webhooks",
        "/v2/webhooks.json",
        "/v2/budgets",
        "/v2/ipaddresses",
        "/webhooks/event-types",
    ]
    .map(str::to_owned)
    .into();
    for operation in ["test", "deliveries", "rotate", "retry", "a/b/c"] {
        paths.push(format!("/v2/webhooks/{id}/{operation}"));
    }
    paths.push(format!("/v2/webhooks/event-types/{BOX_CREDITED}/webhooks"));
    for path in &paths {
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT"] {
            let body: &[u8] = if method == "GET" || method == "DELETE" {
                b""
            } else {
                b"{}"
            };
            let content_type = (!body.is_empty()).then_some("application/json");
            assert_equals_error(
                client.send(method, path, content_type, body).await,
                404,
                &[],
            );
        }
    }
    assert_eq!(read_equals(&client, &id).await, before);
}

/// E-1: the documented paths exist below `/equals-money` only.
#[actix_web::test]
async fn the_api_is_served_below_its_base_path_only() {
    let app = TestApp::start().await;
    let client = app
        .anonymous("")
        .with_header("Authorization", "ApiKey sandbox-key");
    assert_eq!(sound(client.get("/v2/webhooks").await).status, 404);
    assert_eq!(
        sound(client.post("/v2/webhooks", equals_body()).await).status,
        404
    );
    assert_eq!(
        sound(client.get("/equals-moneyv2/webhooks").await).status,
        404
    );
    assert_eq!(
        sound(client.get("/EQUALS-MONEY/v2/webhooks").await).status,
        404
    );
    expect(client.get("/equals-money/v2/webhooks").await, 200);
}

/// E-9: a wrong method on a known path answers 405 and says which methods there are.
#[actix_web::test]
async fn wrong_methods_answer_405() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let before = read_equals(&client, &id).await;
    let (item, entry) = (
        format!("/v2/webhooks/{id}"),
        format!("/v2/webhooks/event-types/{BOX_CREDITED}"),
    );
    for (path, allowed, refused) in [
        (
            "/v2/webhooks",
            &["GET", "POST"][..],
            &["PUT", "PATCH", "DELETE"][..],
        ),
        (&item, &["GET", "PATCH", "DELETE"], &["POST", "PUT"]),
        (
            "/v2/webhooks/event-types",
            &["GET"],
            &["POST", "PUT", "PATCH", "DELETE"],
        ),
        (&entry, &["GET"], &["POST", "PUT", "PATCH", "DELETE"]),
    ] {
        for method in refused.iter().chain(&["TRACE", "PROPFIND", "FOO", "get"]) {
            let answer = assert_equals_error(client.send(method, path, None, b"").await, 405, &[]);
            assert_allows(&answer, allowed, method);
        }
        for method in ["HEAD", "OPTIONS"] {
            sound(client.send(method, path, None, b"").await);
        }
    }
    let body = equals_full_body().to_string();
    assert_equals_error(
        client.send("PUT", &item, JSON, body.as_bytes()).await,
        405,
        &[],
    );
    assert_eq!(read_equals(&client, &id).await, before);
    assert_eq!(list_equals(&client, "").await["count"], 1);
}

/// E-9, E-10: a content type that is missing or not `application/json` answers 415 and does nothing.
#[actix_web::test]
async fn other_content_types_answer_415() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let before = read_equals(&client, &id).await;
    for content_type in OTHER_TYPES.iter().map(|name| Some(*name)).chain([None]) {
        let body = equals_body().to_string();
        assert_equals_error(
            client
                .send("POST", "/v2/webhooks", content_type, body.as_bytes())
                .await,
            415,
            &[],
        );
        let body = b"{\"enabled\":false}";
        assert_equals_error(
            client
                .send("PATCH", &format!("/v2/webhooks/{id}"), content_type, body)
                .await,
            415,
            &[],
        );
    }
    let form = b"url=https%3A%2F%2Fexample.com%2F&enabled=true&webhookEventTypeName=BoxCredited";
    let answer = client
        .send(
            "POST",
            "/v2/webhooks",
            Some("application/x-www-form-urlencoded"),
            form,
        )
        .await;
    assert_equals_error(answer, 415, &[]);
    assert_eq!(read_equals(&client, &id).await, before);
    assert_eq!(list_equals(&client, "").await["count"], 1);
}

/// E-9: content types at the edge of the grammar are answered, and never with a 5xx.
#[actix_web::test]
async fn doubtful_content_types_are_survived() {
    let app = TestApp::start().await;
    let body = equals_body().to_string();
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
            app.equals()
                .send("POST", "/v2/webhooks", Some(content_type), body.as_bytes())
                .await,
            &[201, 400, 415],
        );
    }
    for value in ["gzip", "br", "nonsense", "identity"] {
        let client = app.equals().with_header("Content-Encoding", value);
        expect_one_of(
            client
                .send("POST", "/v2/webhooks", JSON, body.as_bytes())
                .await,
            &[201, 400, 415],
        );
    }
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    expect_one_of(
        app.equals()
            .send(
                "POST",
                "/v2/webhooks",
                Some("application/json; charset=utf-16"),
                &utf16,
            )
            .await,
        &[400, 415],
    );
}

/// E-10: the body limit holds for bodies of unannounced length.
#[actix_web::test]
async fn a_chunked_body_over_the_limit_answers_413() {
    let app = TestApp::start_with(|config| config.max_body_bytes = 1_000).await;
    for (length, wanted) in [(1_000, 201), (1_001, 413)] {
        let mut body = equals_body().to_string().into_bytes();
        body.resize(length, b' ');
        let mut request = b"POST /equals-money/v2/webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
            Authorization: ApiKey sandbox-key\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
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
    assert_eq!(list_equals(&app.equals(), "").await["count"], 1);
}

/// E-8, E-10: over the rate limit the answer is 429 with `Retry-After` in seconds; another key has a limit of its own.
#[actix_web::test]
async fn the_rate_limit_answers_429() {
    let app =
        TestApp::start_with(|config| config.providers.set("equals-money-rate-limit", ["1"])).await;
    let other = app.equals_other().await;
    let mut limited = None;
    for _ in 0..1_000 {
        let answer = app.equals().get("/v2/webhooks").await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        expect(answer, 200);
    }
    let answer = assert_equals_error(limited.expect("a 429 within 1000 requests"), 429, &[]);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    expect(other.get("/v2/webhooks").await, 200);
}

/// E-11: no fault of a body, a query or a path answers 422.
#[actix_web::test]
async fn faults_answer_400() {
    let app = TestApp::start().await;
    let client = app.equals();
    for body in [
        json!({}),
        json!([]),
        with(&equals_body(), "url", 5),
        with(&equals_body(), "webhookEventTypeName", "Nope"),
    ] {
        expect(client.post("/v2/webhooks", body).await, 400);
    }
    expect(client.get("/v2/webhooks?limit=0").await, 400);
    expect(client.get("/v2/webhooks/x").await, 400);
}

/// E-10: errors after errors leave the server and the connection in order.
#[actix_web::test]
async fn the_server_answers_after_every_kind_of_error() {
    let app = TestApp::start().await;
    let client = app.equals();
    for _ in 0..3 {
        assert_equals_error(
            client.send("POST", "/v2/webhooks", JSON, b"{").await,
            400,
            &[""],
        );
        assert_equals_error(
            client
                .send("POST", "/v2/webhooks", Some("text/plain"), b"x")
                .await,
            415,
            &[],
        );
        assert_equals_error(
            client.send("PUT", "/v2/webhooks", None, b"").await,
            405,
            &[],
        );
        assert_equals_error(
            client
                .without_header("Authorization")
                .get("/v2/webhooks")
                .await,
            401,
            &[],
        );
        assert_equals_error(
            client
                .with_header("Authorization", "ApiKey x")
                .get("/v2/webhooks")
                .await,
            403,
            &[],
        );
        assert_equals_error(client.get("/v2/webhooks/x").await, 400, &["webhookId"]);
        let id = id_of(&create_equals(&client, equals_body()).await);
        expect(client.delete(&format!("/v2/webhooks/{id}")).await, 204);
    }
}
