//! The emitted documents: what is served and printed, kept under snapshot as plain JSON, and held to the source documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::app::{APIS, TestApp, production};

/// Compares with `snapshots/NAME.snap.json`; a changed document fails until it is accepted.
fn assert_document(name: &str, document: &Value) {
    let text = serde_json::to_string_pretty(document).unwrap() + "\n";
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_binary_snapshot!(&format!("{name}.json"), text.into_bytes()));
}

#[test]
fn every_emitted_document_is_as_reviewed() {
    for (name, _, document) in APIS.documents() {
        assert_document(name.as_str(), &document);
    }
}

#[actix_web::test]
async fn the_served_documents_are_the_emitted_ones() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    for (name, _, document) in APIS.documents() {
        let answer = client.get(&format!("/openapi/{name}.json")).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json(), *document, "{name}");
    }
}

#[actix_web::test]
async fn every_emitted_operation_is_routed_with_exactly_its_methods() {
    let app = TestApp::start().await;
    for (_, prefix, document) in APIS.documents() {
        for (path, item) in document["paths"].as_object().unwrap() {
            let mut methods: Vec<String> = item
                .as_object()
                .unwrap()
                .keys()
                .map(|method| method.to_uppercase())
                .collect();
            if methods.iter().any(|method| method == "GET") {
                methods.push("HEAD".to_owned());
            }
            methods.sort();
            let path = path.replace(['{', '}'], "");
            let answer = app.anonymous(&prefix).send("TRACE", &path, None, b"").await;
            let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, methods, "{path}");
        }
    }
}

#[actix_web::test]
async fn swagger_ui_is_served_whole_from_this_server() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    let answer = client.get("/docs").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/docs/"))
    );
    let page = client.get("/docs/").await.text();
    assert!(page.contains("name=\"viewport\""), "{page}");
    let files: Vec<&str> = page
        .split(['"', '\''])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
        .collect();
    assert!(files.len() >= 3, "{page}");
    for file in files {
        assert!(!file.contains("//"), "{file} comes from elsewhere");
        let answer = client
            .get(&format!("/docs/{}", file.trim_start_matches("./")))
            .await;
        assert!(answer.status == 200 && !answer.body.is_empty(), "{file}");
    }
    let initializer = client.get("/docs/swagger-initializer.js").await.text();
    for (name, ..) in APIS.documents() {
        let path = format!("/docs/{name}.json");
        assert!(initializer.contains(&path), "{initializer}");
    }
}

#[actix_web::test]
async fn the_landing_page_has_links_that_lead_somewhere_and_credentials_that_are_accepted() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    let answer = client.get("/").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = answer.text();
    let after = |mark| page.split(mark).skip(1);
    let links: Vec<&str> = after("href=\"")
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(links.len() >= 7, "{links:?}");
    for link in links {
        // The operator's page asks for a key first.
        let expected = if link == "/operator/" { 303 } else { 200 };
        assert_eq!(client.get(link).await.status, expected, "{link}");
    }
    let headers: Vec<(&str, &str)> = after("<code>")
        .filter_map(|rest| rest.split("</code>").next()?.split_once(": "))
        .collect();
    let [key, secret, equals, operator] = headers[..] else {
        panic!("{headers:?}");
    };
    let conduit = client
        .with_header(key.0, key.1)
        .with_header(secret.0, secret.1);
    assert_eq!(conduit.get("/conduit/webhooks").await.status, 200);
    for ((name, value), path) in [
        (equals, "/equals-money/v2/webhooks"),
        (operator, "/operator/v1/deliveries"),
    ] {
        let client = client.with_header(name, value);
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn the_landing_page_of_production_gives_nothing_away() {
    let app = TestApp::start_with(production).await;
    let page = app.anonymous("").get("/").await.text();
    assert!(page.contains("production mode") && page.contains("/docs/"));
    assert!(!page.contains("sandbox"), "{page}");
}

#[test]
fn the_source_documents_mark_only_decisions_that_exist() {
    for (name, letter, last) in [("conduit", 'C', 72), ("equals-money", 'E', 69)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("openapi/{name}.yaml"));
        let document: Value = yaml_serde::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut found = BTreeSet::new();
        collect_decisions(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for decision in found {
            let number: Option<u32> = decision
                .strip_prefix(&format!("{letter}-"))
                .and_then(|number| number.parse().ok());
            assert!(
                number.is_some_and(|number| (1..=last).contains(&number)),
                "{name}: {decision}"
            );
        }
    }
}

fn collect_decisions(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                match (name.as_str(), member) {
                    ("x-decision", Value::Array(all)) => {
                        found.extend(all.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("x-decision" | "decision", Value::String(one)) => {
                        found.insert(one.clone());
                    }
                    _ => collect_decisions(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_decisions(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
