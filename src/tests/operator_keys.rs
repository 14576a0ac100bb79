//! Tests of `/operator/v1/keys`, and of who may call the operator API.

use serde_json::{Value, json};

use super::app::{Client, EQUALS_PRODUCT, TestApp, production};
use super::delivering::{accepted, assert_problem};

fn with_headers(client: &Client, headers: &Value) -> Client {
    let headers = headers.as_object().unwrap().iter();
    headers.fold(client.clone(), |client, (name, value)| {
        client.with_header(name, value.as_str().unwrap())
    })
}

#[actix_web::test]
async fn a_key_opens_its_api_at_once_and_nothing_once_it_is_revoked() {
    let app = TestApp::start().await;
    let operator = app.operator();
    for (provider, prefix, path, refused) in [
        ("conduit", "/conduit", "/webhooks", 401),
        ("equals-money", "/equals-money", "/v2/webhooks", 403),
        ("operator", "/operator/v1", "/events", 401),
    ] {
        let made = accepted(
            &operator
                .post("/keys", json!({ "provider": provider, "name": "a" }))
                .await,
            201,
        );
        let client = with_headers(&app.anonymous(prefix), &made["headers"]);
        assert_eq!(client.get(path).await.status, 200, "{provider}");
        let listed = operator.get("/keys").await;
        for credential in made["headers"].as_object().unwrap().values() {
            let credential = credential.as_str().unwrap().rsplit(' ').next().unwrap();
            assert!(credential.len() == 64 && !listed.text().contains(credential));
        }
        let newest = listed.json()["data"][0].clone();
        for member in ["id", "provider", "owner", "name", "createdAt"] {
            assert_eq!(newest[member], made[member], "{newest}");
        }
        assert_eq!(newest["revokedAt"], Value::Null);
        let id = made["id"].as_str().unwrap();
        assert_eq!(operator.delete(&format!("/keys/{id}")).await.status, 204);
        assert_eq!(client.get(path).await.status, refused, "{provider}");
        assert_problem(&operator.delete(&format!("/keys/{id}")).await, 404, &[]);
        assert!(operator.get("/keys").await.json()["data"][0]["revokedAt"].is_string());
    }
    assert_problem(&operator.delete("/keys/key_0").await, 404, &[]);
}

#[actix_web::test]
async fn a_key_belongs_to_the_owner_that_was_named() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let body = json!({ "provider": "equals-money", "owner": EQUALS_PRODUCT.to_uppercase() });
    let made = accepted(&operator.post("/keys", body).await, 201);
    assert_eq!(
        (&made["owner"], &made["name"]),
        (&json!(EQUALS_PRODUCT), &Value::Null)
    );
    for (body, pointers) in [
        (json!({}), vec!["/provider"]),
        (json!([]), vec![""]),
        (
            json!({ "provider": "acme", "owner": "x" }),
            vec!["/provider"],
        ),
        (
            json!({ "provider": "conduit", "owner": EQUALS_PRODUCT }),
            vec!["/owner"],
        ),
        (
            json!({ "provider": "equals-money", "owner": "x", "name": "", "a": 1 }),
            vec!["/a", "/name", "/owner"],
        ),
        (
            json!({ "provider": "operator", "owner": "operator" }),
            vec!["/owner"],
        ),
        (
            json!({ "provider": "operator", "owner": null, "name": "x".repeat(201) }),
            vec!["/name", "/owner"],
        ),
    ] {
        assert_problem(&operator.post("/keys", body).await, 422, &pointers);
    }
}

#[actix_web::test]
async fn whoever_has_no_key_of_this_api_is_asked_for_one() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous("/operator/v1");
    let mut strangers = vec![anonymous.clone()];
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "sandbox-operator",
        "ApiKey sandbox-operator",
        "Bearer sandbox-key",
    ] {
        strangers.push(anonymous.with_header("Authorization", header));
    }
    for stranger in strangers {
        for answer in [
            stranger.get("/events").await,
            stranger.post("/events", json!({})).await,
        ] {
            assert_problem(&answer, 401, &[]);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    let client = anonymous.with_header("Authorization", "bearer sandbox-operator");
    assert_eq!(client.get("/events").await.status, 200);
    let app = TestApp::start_with(production).await;
    assert_problem(&app.operator().get("/events").await, 401, &[]);
}
