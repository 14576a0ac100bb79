//! How requests come in, whatever they are for: by which names, below which path, on which port, with which method; and pages' headers.

use serde_json::{Value, json};

use super::app::{APIS, Client, TestApp, production};
use super::shape::send_raw;
use crate::domain::HostNames;

/// A path of every kind.
const PATHS: [&str; 9] = [
    "/",
    "/docs",
    "/docs/",
    "/docs/swagger-ui.css",
    "/openapi/operator.json",
    "/metrics",
    "/health/live",
    "/operator/v1/deliveries",
    "/nothing",
];

async fn get_as(app: &TestApp, host: &str, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    send_raw(app, request.into_bytes()).await
}

#[actix_web::test]
async fn a_sandbox_refuses_requests_that_name_another_host() {
    let app = TestApp::start().await;
    for host in [
        "rebound.test",
        "rebound.test:8080",
        "127.0.0.1.rebound.test",
        "192.168.0.1",
        "",
    ] {
        for path in PATHS {
            let (status, answer) = get_as(&app, host, path).await;
            assert_eq!(status, 421, "{host} {path}: {answer}");
            assert!(answer.contains("--allow-host"), "{answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
        }
    }
    for host in [
        "localhost",
        "127.0.0.1:1",
        "[::1]:8080",
        "truehook.localhost",
    ] {
        let (status, answer) = get_as(&app, host, "/health/live").await;
        assert_eq!(status, 200, "{host}: {answer}");
    }
}

/// RFC 9112, 3.2.2: the host of a whole URL as target counts for more than the header.
#[actix_web::test]
async fn a_sandbox_refuses_a_target_with_another_host() {
    let app = TestApp::start().await;
    for (target, expected) in [
        ("http://rebound.test/health/live", 421),
        ("http://127.0.0.1/health/live", 200),
    ] {
        let (status, answer) = get_as(&app, "127.0.0.1", target).await;
        assert_eq!(status, expected, "{target}: {answer}");
    }
}

#[actix_web::test]
async fn a_credential_does_not_make_up_for_another_host() {
    let app = TestApp::start().await;
    let request = b"GET /operator/v1/keys HTTP/1.1\r\nHost: rebound.test\r\nConnection: close\r\n\
        Authorization: Bearer sandbox-operator\r\n\r\n";
    let (status, _) = send_raw(&app, request.to_vec()).await;
    assert_eq!(status, 421);
}

#[actix_web::test]
async fn the_names_of_the_operator_are_answered_and_in_production_every_name() {
    let app = TestApp::start_with(|config| {
        config.hosts = Some(HostNames::new(["truehook"]).unwrap());
    })
    .await;
    assert_eq!(get_as(&app, "truehook:8080", "/health/live").await.0, 200);
    assert_eq!(get_as(&app, "127.0.0.1", "/health/live").await.0, 200);
    assert_eq!(get_as(&app, "rebound.test", "/health/live").await.0, 421);
    let app = TestApp::start_with(production).await;
    assert_eq!(get_as(&app, "hooks.example", "/health/live").await.0, 200);
}

#[actix_web::test]
async fn every_page_says_what_a_browser_may_do_with_it() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    for path in [
        "/",
        "/docs/",
        "/docs/index.html",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-initializer.js",
        "/docs/favicon-32x32.png",
        "/docs/nope",
        "/openapi/conduit.json",
    ] {
        let answer = client.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
}

#[actix_web::test]
async fn a_page_that_is_not_there_is_a_page_that_leads_to_one() {
    let app = TestApp::start().await;
    for path in ["/docs/nope", "/docs/a/b.js", "/docs/..%2fsecret"] {
        let answer = app.anonymous("").get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            answer.text().contains("href=\"/docs/\""),
            "{}",
            answer.text()
        );
    }
}

#[actix_web::test]
async fn head_answers_like_get_at_every_path() {
    let app = TestApp::start().await;
    let equals = app.equals();
    let event_type = "/v2/webhooks/event-types/a4dcc403-41aa-4f2e-acf6-32dbaec78e72";
    let clients = [
        (app.conduit(), vec!["/webhooks", "/webhooks/whk_0", "/nope"]),
        (
            equals,
            vec![
                "/v2/webhooks",
                "/v2/webhooks/event-types",
                event_type,
                "/v2/webhooks/x",
            ],
        ),
        (
            app.operator(),
            vec![
                "/events",
                "/events/evt_0",
                "/deliveries",
                "/keys",
                "/keys?unknown=1",
            ],
        ),
        (app.anonymous(""), PATHS.to_vec()),
    ];
    for (client, paths) in clients {
        for path in paths {
            let read = client.get(path).await;
            let head = client.send("HEAD", path, None, b"").await;
            assert_eq!(head.status, read.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            for name in ["content-type", "www-authenticate", "allow", "location"] {
                assert_eq!(head.header(name), read.header(name), "{path}");
            }
            let length = head.header("content-length").unwrap();
            if path != "/metrics" {
                assert_eq!(length, read.body.len().to_string(), "{path}");
            }
        }
    }
    let refused = app.operator().send("HEAD", "/replays", None, b"").await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("POST"))
    );
}

/// RFC 9110, 10.2.1.
#[actix_web::test]
async fn allow_lists_the_methods_of_paths_outside_the_apis() {
    let app = TestApp::start().await;
    for (path, allowed) in [
        ("/", "GET, HEAD"),
        ("/docs/", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
        ("/operator/", "GET, HEAD"),
        ("/operator/deliveries", "GET, HEAD"),
        ("/operator/publish", "GET, HEAD, POST"),
        ("/operator/sign-in", "GET, HEAD, POST"),
        ("/operator/sign-out", "POST"),
        ("/operator/deliveries/x/retry", "POST"),
    ] {
        let refused = app.anonymous("").send("PUT", path, None, b"").await;
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, Some(allowed)),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn a_credential_that_is_sent_twice_is_refused() {
    let app = TestApp::start().await;
    for (path, headers, doubled) in [
        (
            "/conduit/webhooks",
            ["X-API-Key: sandbox-key", "X-API-Secret: sandbox-secret"].as_slice(),
            "X-API-Key: sandbox-key",
        ),
        (
            "/conduit/webhooks",
            &["X-API-Key: sandbox-key", "X-API-Secret: sandbox-secret"],
            "X-API-Secret: other",
        ),
        (
            "/equals-money/v2/webhooks",
            &["Authorization: ApiKey sandbox-key"],
            "Authorization: ApiKey sandbox-key",
        ),
        (
            "/operator/v1/deliveries",
            &["Authorization: Bearer sandbox-operator"],
            "authorization: Bearer other",
        ),
    ] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
            headers.join("\r\n")
        );
        let (status, answer) = send_raw(&app, format!("{head}\r\n").into_bytes()).await;
        assert_eq!(status, 200, "{answer}");
        let (status, answer) =
            send_raw(&app, format!("{head}{doubled}\r\n\r\n").into_bytes()).await;
        assert_eq!(status, 401, "{answer}");
        assert!(answer.contains("must be sent once only."), "{answer}");
    }
}

#[actix_web::test]
async fn every_operation_for_operators_refuses_parameters_that_it_does_not_have() {
    let app = TestApp::start().await;
    let mut operations = 0;
    for (path, item) in APIS.document("operator")["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let target = format!("{}?limit1=5&Unknown=%20", path.replace(['{', '}'], ""));
            let body = if method == "POST" { "{}" } else { "" };
            let json = (method == "POST").then_some("application/json");
            let stranger = app.anonymous("/operator/v1");
            let answer = stranger.send(&method, &target, json, body.as_bytes()).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            let answer = app
                .operator()
                .send(&method, &target, json, body.as_bytes())
                .await;
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.text());
            assert_eq!(answer.pointers(), ["Unknown", "limit1"], "{method} {path}");
            operations += 1;
        }
    }
    assert!(operations >= 11, "{operations}");
    let answer = app
        .operator()
        .get("/deliveries?state=pending&limit=1")
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[actix_web::test]
async fn an_operator_whose_key_is_not_accepted_is_told_why() {
    let app = TestApp::start().await;
    let made = app
        .operator()
        .post("/keys", json!({ "provider": "operator" }))
        .await
        .json();
    let revoked = app.anonymous("/operator/v1").with_header(
        "Authorization",
        made["headers"]["Authorization"].as_str().unwrap(),
    );
    assert_eq!(revoked.get("/keys").await.status, 200);
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        app.operator().delete(&format!("/keys/{id}")).await.status,
        204
    );
    let anonymous = app.anonymous("/operator/v1");
    for (client, expected) in [
        (revoked, "This key is not known or was revoked."),
        (
            anonymous.with_header("Authorization", "Bearer nope"),
            "This key is not known or was revoked.",
        ),
        (
            anonymous.with_header("Authorization", "ApiKey sandbox-operator"),
            "The Authorization header must have the form \"Bearer <key>\".",
        ),
        (
            anonymous,
            "The Authorization header is missing; send \"Authorization: Bearer <key>\".",
        ),
    ] {
        let answer = client.get("/keys").await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.json()["detail"], expected);
    }
}

#[actix_web::test]
async fn everything_is_below_the_base_path_whether_the_proxy_passes_it_on_or_not() {
    let app = TestApp::start_with(|config| config.base_path = "/hooks".to_owned()).await;
    for prefix in ["", "/hooks"] {
        let client = app.anonymous(prefix);
        for path in PATHS
            .iter()
            .filter(|path| !path.contains("operator/v1") && **path != "/nothing")
        {
            let answer = client.get(path).await;
            assert!(
                matches!(answer.status, 200 | 303),
                "{prefix}{path}: {}",
                answer.status
            );
        }
        assert_eq!(
            client.get("/docs").await.header("location"),
            Some("/hooks/docs/")
        );
        let script = client.get("/docs/swagger-initializer.js").await.text();
        for (name, base) in [
            ("conduit", "/hooks/conduit"),
            ("equals-money", "/hooks/equals-money"),
            ("operator", "/hooks/operator/v1"),
        ] {
            let shown = format!("/docs/{name}.json");
            assert!(script.contains(&format!("\"/hooks{shown}\"")), "{script}");
            for path in [shown, format!("/openapi/{name}.json")] {
                let document = client.get(&path).await.json();
                assert_eq!(document["servers"][0]["url"], base);
            }
        }
        let page = client.get("/").await.text();
        let links: Vec<&str> = page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(links.len() >= 7, "{page}");
        for link in links {
            assert!(link.starts_with("/hooks/"), "{link}");
            // The operator's page asks for a key first.
            let expected = if link == "/hooks/operator/" { 303 } else { 200 };
            let answer = app.anonymous("").get(link).await;
            assert_eq!(answer.status, expected, "{link}");
        }
        assert!(page.contains("/hooks/conduit/webhooks \\\n"), "{page}");
        let deliveries = app.operator().get("/deliveries").await;
        assert_eq!(deliveries.status, 200);
    }
    assert_eq!(app.anonymous("/hooks").get("").await.status, 200);
    for path in [
        "/hooksx/health/live",
        "/hooks/hooks/health/live",
        "/Hooks/health/live",
    ] {
        assert_eq!(app.anonymous("").get(path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn what_is_for_the_operator_can_have_a_port_of_its_own() {
    let app = TestApp::start_with(|config| {
        config.admin_listen = vec!["127.0.0.1:0".parse().unwrap()];
    })
    .await;
    let public = app.anonymous("");
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/openapi/operator.json",
        "/metrics",
        "/operator/v1/deliveries",
        "/operator/v1",
        "/operator/",
        "/%6fperator/v1/deliveries",
        "/conduit/../metrics",
        "//metrics",
    ] {
        let answer = public.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(
            !answer.text().contains("/operator/v1 "),
            "{}",
            answer.text()
        );
    }
    assert_eq!(public.get("/health/ready").await.status, 200);
    assert_eq!(app.conduit().get("/webhooks").await.status, 200);
    assert_eq!(app.equals().get("/v2/webhooks").await.status, 200);
    let admin = app.admin("");
    for path in PATHS
        .iter()
        .filter(|path| !path.contains("v1") && **path != "/nothing")
    {
        let answer = admin.get(path).await;
        assert!(matches!(answer.status, 200 | 303), "{path}");
    }
    let operator = app
        .admin("/operator/v1")
        .with_header("Authorization", "Bearer sandbox-operator");
    assert_eq!(operator.get("/deliveries").await.status, 200);
    let registered = app
        .admin("/conduit")
        .with_header("X-API-Key", "sandbox-key")
        .with_header("X-API-Secret", "sandbox-secret");
    assert_eq!(registered.get("/webhooks").await.status, 200);
}

#[actix_web::test]
async fn swagger_ui_shows_the_credentials_of_a_sandbox_and_of_nothing_else() {
    for (app, shown) in [
        (TestApp::start().await, true),
        (TestApp::start_with(production).await, false),
    ] {
        for (name, credentials) in [
            ("conduit", vec!["sandbox-key", "sandbox-secret"]),
            ("equals-money", vec!["ApiKey sandbox-key"]),
            ("operator", vec!["sandbox-operator"]),
        ] {
            let path = format!("/docs/{name}.json");
            let document = app.anonymous("").get(&path).await.json();
            let schemes = document["components"]["securitySchemes"]
                .as_object()
                .unwrap();
            let descriptions: Vec<&str> = schemes
                .values()
                .filter_map(|scheme: &Value| scheme["description"].as_str())
                .collect();
            assert_eq!(descriptions.len(), credentials.len());
            for (description, credential) in descriptions.iter().zip(credentials) {
                let says = description.contains(&format!("In this sandbox: `{credential}`"));
                assert_eq!(says, shown, "{description}");
            }
        }
    }
}

#[actix_web::test]
async fn swagger_ui_shows_failures_as_they_are_answered() {
    let app = TestApp::start().await;
    let large = vec![b' '; 256 * 1024 + 1];
    let [broken, away] = [TestApp::start().await, TestApp::start().await];
    broken.damage();
    away.take_away();
    type Caller = fn(&TestApp) -> Client;
    let apis: [(&str, &str, Caller); 3] = [
        ("conduit", "/webhooks", TestApp::conduit),
        ("equals-money", "/v2/webhooks", TestApp::equals),
        ("operator", "/events", TestApp::operator),
    ];
    for (name, path, caller) in apis {
        let client = caller(&app);
        let document = format!("/docs/{name}.json");
        let document = app.anonymous("").get(&document).await.json();
        let json = Some("application/json");
        for (status, method, answer) in [
            (413, "post", client.send("POST", path, json, &large).await),
            (500, "get", caller(&broken).get(path).await),
            (503, "get", caller(&away).get(path).await),
        ] {
            assert_eq!(answer.status, status, "{}", answer.text());
            let responses = &document["paths"][path][method]["responses"];
            let content = responses[status.to_string()]["content"]
                .as_object()
                .unwrap();
            let (_, media_type) = content.iter().next().unwrap();
            assert_eq!(media_type["example"], answer.json(), "{name} {status}");
        }
        assert_eq!(document["info"]["license"].get("identifier"), None);
    }
}
