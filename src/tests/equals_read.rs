//! Tests of `GET /equals-money/v2/webhooks/{webhookId}` and of the list with its paging, filters and account scope.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::app::{Client, EQUALS_PRODUCT, TestApp};
use super::shape::{
    EQUALS_MEMBERS, assert_equals_error, create_equals, cut_to_second, encode, equals_body,
    equals_full_body, expect, expect_one_of, id_of, list_equals, member_names, read_equals,
    row_ids, sound, with, without,
};

const BOX_CREDITED: &str = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
const BOX_DEBITED: &str = "fc05160e-0f0c-44e0-87a8-e2f093b09ff4";

/// Creates this many webhooks one after the other and returns the answers.
async fn create_many(client: &Client, count: usize) -> Vec<Value> {
    let mut created = Vec::new();
    for number in 0..count {
        created.push(
            create_equals(
                client,
                with(
                    &equals_body(),
                    "url",
                    format!("https://example.com/{number}"),
                ),
            )
            .await,
        );
    }
    created
}

/// Creates a webhook with these members.
async fn create_one(client: &Client, name: &str, account: Option<&str>, enabled: bool) -> String {
    let body = json!({ "url": "https://example.com/", "enabled": enabled, "webhookEventTypeName": name, "accountId": account });
    id_of(&create_equals(client, body).await)
}

/// The webhook as GET shows it, from the create response.
fn as_read(created: &Value) -> Value {
    let mut read = json!({});
    for member in EQUALS_MEMBERS {
        read[member] = created.get(member).cloned().unwrap_or(Value::Null);
    }
    read["createdAt"] = cut_to_second(&created["createdAt"]);
    read["updatedAt"] = cut_to_second(&created["updatedAt"]);
    read
}

/// E-31, E-32, E-34: GET carries all 11 members in order, unset ones as null.
#[actix_web::test]
async fn get_shows_every_member() {
    let app = TestApp::start().await;
    for body in [
        equals_body(),
        equals_full_body(),
        with(&equals_body(), "accountId", "F12345"),
        with(&equals_body(), "sharedSecret", "s"),
    ] {
        let created = create_equals(&app.equals(), body).await;
        let read = read_equals(&app.equals(), &id_of(&created)).await;
        assert_eq!(read, as_read(&created));
        assert_eq!(member_names(&read), EQUALS_MEMBERS);
        assert_eq!(read["productId"], EQUALS_PRODUCT);
    }
}

/// E-31: the list's rows are what GET shows.
#[actix_web::test]
async fn rows_are_what_get_shows() {
    let app = TestApp::start().await;
    for body in [
        equals_body(),
        equals_full_body(),
        with(&equals_body(), "enabled", false),
    ] {
        create_equals(&app.equals(), body).await;
    }
    let list = list_equals(&app.equals(), "").await;
    for row in list["rows"].as_array().unwrap() {
        assert_eq!(read_equals(&app.equals(), &id_of(row)).await, *row);
    }
}

/// Ids, percent-encoded for a path, that are not UUIDs although some come close to `id`.
fn malformed_ids(id: &str) -> Vec<String> {
    let mut ids: Vec<String> = [
        "x",
        "0",
        "-1",
        "null",
        "undefined",
        "event-type",
        "webhooks",
        " ",
        "*",
        "%",
        "{webhookId}",
        "' OR '1'='1",
        "x'; DROP TABLE webhooks; --",
        "\u{0}",
        "\n",
        "\u{1f600}",
        "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "ed6dfe0e-6cf2-43d5-9f35-aebg587f4e77",
    ]
    .map(encode)
    .into();
    ids.extend([
        encode(&id.replace('-', "")),
        encode(&format!("{{{id}}}")),
        encode(&format!("urn:uuid:{id}")),
        encode(&format!("{id}0")),
        encode(&id[..35]),
        encode(&format!("{id}\u{0}")),
        encode(&format!("{id} ")),
        encode(&format!(" {id}")),
        encode(&format!("{id}\n")),
        encode(&format!("{id}'")),
        encode(&id.replace('-', "_")),
        "%ff%fe".to_owned(),
        format!("{id}%ff"),
        "a".repeat(4_000),
        "%00".repeat(500),
    ]);
    ids
}

/// E-12, E-13: an id that is not a UUID answers 400 under the parameter's name.
#[actix_web::test]
async fn an_id_that_is_no_uuid_answers_400() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    for malformed in malformed_ids(&id) {
        assert_equals_error(
            app.equals().get(&format!("/v2/webhooks/{malformed}")).await,
            400,
            &["webhookId"],
        );
    }
    for path in [
        "%2F".to_owned(),
        format!("{id}%2F"),
        "..%2F..%2Fetc%2Fpasswd".to_owned(),
        "a%2Fb".to_owned(),
    ] {
        let answer = expect_one_of(
            app.equals().get(&format!("/v2/webhooks/{path}")).await,
            &[400, 404],
        );
        assert_eq!(answer.json()["statusCode"], answer.status);
    }
    sound(
        app.equals()
            .get(&format!("/v2/webhooks/{}", "a".repeat(60_000)))
            .await,
    );
}

/// E-12: an unknown or deleted id answers 404.
#[actix_web::test]
async fn an_unknown_id_answers_404() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    expect(
        app.equals().delete(&format!("/v2/webhooks/{id}")).await,
        204,
    );
    for unknown in [
        &id,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "123e4567-e89b-12d3-a456-426614174000",
        BOX_CREDITED,
        EQUALS_PRODUCT,
    ] {
        assert_equals_error(
            app.equals().get(&format!("/v2/webhooks/{unknown}")).await,
            404,
            &[],
        );
    }
}

/// E-12: a UUID in capitals, or percent-encoded, is the same UUID.
#[actix_web::test]
async fn an_id_in_capitals_is_the_same_id() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for spelling in [id.to_uppercase(), encoded] {
        assert_eq!(id_of(&read_equals(&app.equals(), &spelling).await), id);
    }
}

/// E-12: another product's webhook is not there, and answers like an unknown id.
#[actix_web::test]
async fn a_foreign_webhook_is_not_found() {
    let app = TestApp::start().await;
    let other = app.equals_other().await;
    let id = id_of(&create_equals(&app.equals(), equals_full_body()).await);
    let unknown = "123e4567-e89b-42d3-a456-426614174000";
    for query in ["", "?accountId=F12345"] {
        let foreign = assert_equals_error(
            other.get(&format!("/v2/webhooks/{id}{query}")).await,
            404,
            &[],
        );
        let missing = assert_equals_error(
            other.get(&format!("/v2/webhooks/{unknown}{query}")).await,
            404,
            &[],
        );
        assert_eq!(
            foreign.text().replace(&id, ""),
            missing.text().replace(unknown, "")
        );
    }
    read_equals(&app.equals(), &id).await;
}

/// E-6: GET with another account's id answers 404; with its own, or for a global webhook, 200.
#[actix_web::test]
async fn get_is_scoped_to_the_account() {
    let app = TestApp::start().await;
    let client = app.equals();
    let own = create_one(&client, "BoxCredited", Some("F12345"), true).await;
    let global = create_one(&client, "BoxCredited", None, true).await;
    for query in ["", "?accountId=F12345"] {
        expect(client.get(&format!("/v2/webhooks/{own}{query}")).await, 200);
    }
    for query in ["", "?accountId=F12345", "?accountId=F50091"] {
        expect(
            client.get(&format!("/v2/webhooks/{global}{query}")).await,
            200,
        );
    }
    for account in [
        "F50091",
        "f12345",
        "F1234",
        "F123456",
        "F12345%20",
        "%25",
        "F1234_",
        "*",
        "null",
        "%27%20OR%20%271%27=%271",
    ] {
        assert_equals_error(
            client
                .get(&format!("/v2/webhooks/{own}?accountId={account}"))
                .await,
            404,
            &[],
        );
    }
}

/// E-35: the empty list has the whole envelope.
#[actix_web::test]
async fn the_empty_list_has_the_whole_envelope() {
    let app = TestApp::start().await;
    let list = list_equals(&app.equals(), "").await;
    assert_eq!(
        list,
        json!({ "count": 0, "limit": 100, "offset": 0, "rows": [] })
    );
}

/// E-36: the list is ordered by creation.
#[actix_web::test]
async fn the_list_is_in_order_of_creation() {
    let app = TestApp::start().await;
    let created = create_many(&app.equals(), 20).await;
    let times: HashMap<String, String> = created
        .iter()
        .map(|row| (id_of(row), row["createdAt"].as_str().unwrap().to_owned()))
        .collect();
    let listed = row_ids(&list_equals(&app.equals(), "").await);
    assert_eq!(listed.len(), 20);
    let listed_times: Vec<&String> = listed.iter().map(|id| &times[id]).collect();
    assert!(listed_times.is_sorted(), "{listed_times:?}");
    assert_eq!(listed, created.iter().map(id_of).collect::<Vec<_>>());
}

/// E-36, E-33: a change does not move a webhook within the list.
#[actix_web::test]
async fn a_change_keeps_the_order() {
    let app = TestApp::start().await;
    let ids: Vec<String> = create_many(&app.equals(), 5)
        .await
        .iter()
        .map(id_of)
        .collect();
    for id in [&ids[2], &ids[0], &ids[4]] {
        expect(
            app.equals()
                .patch(&format!("/v2/webhooks/{id}"), json!({ "enabled": false }))
                .await,
            200,
        );
    }
    assert_eq!(row_ids(&list_equals(&app.equals(), "").await), ids);
}

/// E-35: limit and offset cut the rows and are echoed; the count is that of all matches.
#[actix_web::test]
async fn limit_and_offset_cut_the_rows() {
    let app = TestApp::start().await;
    create_many(&app.equals(), 12).await;
    let all = row_ids(&list_equals(&app.equals(), "").await);
    for (limit, offset) in [
        (1, 0),
        (5, 0),
        (5, 5),
        (5, 10),
        (12, 0),
        (12, 1),
        (1000, 0),
        (1000, 11),
        (3, 12),
        (3, 1_000_000),
        (7, 2_147_483_647_usize),
    ] {
        let list = list_equals(&app.equals(), &format!("?limit={limit}&offset={offset}")).await;
        let wanted: Vec<String> = all.iter().skip(offset).take(limit).cloned().collect();
        assert_eq!(row_ids(&list), wanted, "limit {limit}, offset {offset}");
        assert_eq!(
            (
                list["count"].clone(),
                list["limit"].clone(),
                list["offset"].clone()
            ),
            (json!(12), json!(limit), json!(offset))
        );
    }
    let list = list_equals(&app.equals(), "?offset=3").await;
    assert_eq!(
        (row_ids(&list), list["limit"].clone()),
        (all[3..].to_vec(), json!(100))
    );
    let list = list_equals(&app.equals(), "?limit=3").await;
    assert_eq!(
        (row_ids(&list), list["offset"].clone()),
        (all[..3].to_vec(), json!(0))
    );
}

/// E-35, E-36: pages of 7 over 20 webhooks show each exactly once.
#[actix_web::test]
async fn pages_of_seven_show_each_of_twenty_webhooks_once() {
    let app = TestApp::start().await;
    create_many(&app.equals(), 20).await;
    let mut paged = Vec::new();
    for offset in [0, 7, 14] {
        paged.extend(row_ids(
            &list_equals(&app.equals(), &format!("?limit=7&offset={offset}")).await,
        ));
    }
    assert_eq!(paged, row_ids(&list_equals(&app.equals(), "").await));
}

/// E-35: without a limit 100 rows are given, and the count is that of all.
#[actix_web::test]
async fn a_hundred_rows_are_given_by_default() {
    let app = TestApp::start().await;
    create_many(&app.equals(), 101).await;
    let list = list_equals(&app.equals(), "").await;
    assert_eq!(
        (row_ids(&list).len(), list["count"].clone()),
        (100, json!(101))
    );
    let list = list_equals(&app.equals(), "?limit=1000").await;
    assert_eq!(
        (row_ids(&list).len(), list["count"].clone()),
        (101, json!(101))
    );
}

/// E-35, E-13: a limit outside 1..1000, or no integer, is refused under the parameter's name.
#[actix_web::test]
async fn a_limit_out_of_range_is_refused() {
    let app = TestApp::start().await;
    for limit in [
        "0",
        "-1",
        "1001",
        "100000",
        "65537",
        "4294967297",
        "18446744073709551617",
        "99999999999999999999999999",
        "1.5",
        "0.5",
        "1e400",
        "abc",
        "",
        "null",
        "true",
        "NaN",
        "0x10",
        "1_0",
        "1,0",
        "%00",
        "5%00",
        "%205",
        "5%20",
        "%D9%A5",
        "%ff",
        "-",
        "--5",
        "1%20OR%201=1",
    ] {
        assert_equals_error(
            app.equals()
                .get(&format!("/v2/webhooks?limit={limit}"))
                .await,
            400,
            &["limit"],
        );
    }
    assert_equals_error(
        app.equals().get("/v2/webhooks?limit").await,
        400,
        &["limit"],
    );
    for limit in ["1.0", "1e1", "%2B5", "+5", "007"] {
        expect_one_of(
            app.equals()
                .get(&format!("/v2/webhooks?limit={limit}"))
                .await,
            &[200, 400],
        );
    }
}

/// E-35, E-67, E-13: an offset that is negative, too large or no integer is refused under the parameter's name.
#[actix_web::test]
async fn an_offset_out_of_range_is_refused() {
    let app = TestApp::start().await;
    for offset in [
        "-1",
        "-9223372036854775809",
        "2147483648",
        "18446744073709551615",
        "18446744073709551616",
        "1.5",
        "1e400",
        "abc",
        "",
        "null",
        "true",
        "NaN",
        "0x10",
        "1_0",
        "1,0",
        "%00",
        "5%00",
        "%205",
        "5%20",
        "%D9%A5",
        "%ff",
        "-",
        "--5",
        "1%20OR%201=1",
    ] {
        assert_equals_error(
            app.equals()
                .get(&format!("/v2/webhooks?offset={offset}"))
                .await,
            400,
            &["offset"],
        );
    }
    assert_equals_error(
        app.equals().get("/v2/webhooks?offset").await,
        400,
        &["offset"],
    );
    for offset in [
        "-0",
        "0.0",
        "%2B5",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        let answer = expect_one_of(
            app.equals()
                .get(&format!("/v2/webhooks?offset={offset}&limit=1000"))
                .await,
            &[200, 400],
        );
        if answer.status == 400 {
            assert_equals_error(answer, 400, &["offset"]);
        }
    }
}

/// E-37: each filter, and filters together, give the webhooks that match all of them.
#[actix_web::test]
async fn filters_combine() {
    let app = TestApp::start().await;
    let client = app.equals();
    let mut webhooks = Vec::new();
    for name in ["BoxCredited", "BoxDebited"] {
        for account in [None, Some("F1"), Some("F2")] {
            for enabled in [true, false] {
                webhooks.push((
                    create_one(&client, name, account, enabled).await,
                    name,
                    account,
                    enabled,
                ));
            }
        }
    }
    let types = [(String::new(), None)].into_iter().chain(
        [("BoxCredited", BOX_CREDITED), ("BoxDebited", BOX_DEBITED)]
            .into_iter()
            .flat_map(|(name, id)| {
                let (by_name, by_id) = (
                    format!("&webhookEventTypeName={name}"),
                    format!("&webhookEventTypeId={id}"),
                );
                [
                    (by_name.clone(), Some(name)),
                    (by_id.clone(), Some(name)),
                    (format!("{by_name}{by_id}"), Some(name)),
                ]
            }),
    );
    for (type_query, name) in types {
        for (account_query, account) in [
            ("", None),
            ("&accountId=F1", Some("F1")),
            ("&accountId=F2", Some("F2")),
            ("&accountId=F3", Some("F3")),
        ] {
            for (enabled_query, enabled) in [
                ("", None),
                ("&enabled=true", Some(true)),
                ("&enabled=false", Some(false)),
            ] {
                let query = format!("?limit=50{type_query}{account_query}{enabled_query}");
                let list = list_equals(&client, &query).await;
                let wanted: Vec<&String> = webhooks
                    .iter()
                    .filter(|webhook| name.is_none_or(|name| webhook.1 == name))
                    .filter(|webhook| {
                        account.is_none_or(|account| webhook.2.is_none_or(|own| own == account))
                    })
                    .filter(|webhook| enabled.is_none_or(|enabled| webhook.3 == enabled))
                    .map(|webhook| &webhook.0)
                    .collect();
                let found = row_ids(&list);
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query}");
                assert_eq!(list["count"], wanted.len(), "{query}");
            }
        }
    }
    let query = format!("?webhookEventTypeName=BoxCredited&webhookEventTypeId={BOX_DEBITED}");
    assert_eq!(list_equals(&client, &query).await["count"], 0);
    let list = list_equals(&client, "?enabled=false&limit=1&offset=1").await;
    assert_eq!(
        (list["count"].clone(), row_ids(&list)),
        (json!(6), vec![webhooks[3].0.clone()])
    );
}

/// E-37: `enabled` is exactly `true` or `false`.
#[actix_web::test]
async fn the_enabled_filter_has_two_values() {
    let app = TestApp::start().await;
    for value in [
        "",
        "TRUE",
        "True",
        "1",
        "0",
        "yes",
        "on",
        "null",
        "maybe",
        "true%20",
        "%20true",
        "true,false",
        "[true]",
        "%00",
        "%ff",
    ] {
        assert_equals_error(
            app.equals()
                .get(&format!("/v2/webhooks?enabled={value}"))
                .await,
            400,
            &["enabled"],
        );
    }
    assert_equals_error(
        app.equals().get("/v2/webhooks?enabled").await,
        400,
        &["enabled"],
    );
}

/// E-37, E-44: a malformed type id is refused, an unknown one gives an empty page, a contested one its type.
#[actix_web::test]
async fn the_type_id_filter_takes_uuids() {
    let app = TestApp::start().await;
    let client = app.equals();
    create_one(&client, "OrderCreated", None, true).await;
    let cancelled = create_one(&client, "OrderCancelled", None, true).await;
    for id in malformed_ids(BOX_CREDITED)
        .into_iter()
        .chain(["BoxCredited".to_owned(), "%2F".to_owned()])
    {
        assert_equals_error(
            client
                .get(&format!("/v2/webhooks?webhookEventTypeId={id}"))
                .await,
            400,
            &["webhookEventTypeId"],
        );
    }
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "66854098-aac7-4084-938e-bc2e62fb6a44",
        "da91434a-4026-42ea-84b8-d0317b64af9c",
        BOX_CREDITED,
    ] {
        let list = list_equals(
            &client,
            &format!("?webhookEventTypeId={id}&limit=5&offset=2"),
        )
        .await;
        assert_eq!(
            list,
            json!({ "count": 0, "limit": 5, "offset": 2, "rows": [] })
        );
    }
    for id in [
        "06e852d1-fcd5-43e6-babe-65a06a43266b",
        "06E852D1-FCD5-43E6-BABE-65A06A43266B",
    ] {
        assert_eq!(
            row_ids(&list_equals(&client, &format!("?webhookEventTypeId={id}")).await),
            std::slice::from_ref(&cancelled)
        );
    }
}

/// E-37, E-16: an unknown type name gives an empty page; names are compared exactly.
#[actix_web::test]
async fn the_type_name_filter_is_exact() {
    let app = TestApp::start().await;
    create_one(&app.equals(), "BoxCredited", None, true).await;
    for name in [
        "boxcredited",
        "BOXCREDITED",
        "Nope",
        "Box",
        "Box%25",
        "BoxCredite_",
        "*",
        "BoxCredited%20",
        "%20BoxCredited",
        "'%20OR%201=1--",
        "true",
        "%F0%9F%98%80",
    ] {
        assert_eq!(
            list_equals(&app.equals(), &format!("?webhookEventTypeName={name}")).await["count"],
            0,
            "{name}"
        );
    }
    for name in ["Box%43redited", "%42oxCredited"] {
        assert_eq!(
            list_equals(&app.equals(), &format!("?webhookEventTypeName={name}")).await["count"],
            1,
            "{name}"
        );
    }
    for name in [
        String::new(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "B".repeat(257),
        "B".repeat(8_000),
    ] {
        let answer = expect_one_of(
            app.equals()
                .get(&format!("/v2/webhooks?webhookEventTypeName={name}"))
                .await,
            &[200, 400],
        );
        if answer.status == 200 {
            assert_eq!(answer.json()["count"], 0);
        } else {
            assert_equals_error(answer, 400, &["webhookEventTypeName"]);
        }
    }
}

/// E-6: with `accountId` the list has the account's webhooks and the global ones, compared exactly.
#[actix_web::test]
async fn the_list_is_scoped_to_the_account() {
    let app = TestApp::start().await;
    let client = app.equals();
    let f1 = create_one(&client, "BoxCredited", Some("F1"), true).await;
    let global = create_one(&client, "BoxCredited", None, true).await;
    let f2 = create_one(&client, "BoxCredited", Some("F2"), true).await;
    let spaced = create_one(&client, "BoxCredited", Some("F 1+&"), true).await;
    assert_eq!(list_equals(&client, "").await["count"], 4);
    for (account, wanted) in [
        ("F1", vec![&f1, &global]),
        ("F2", vec![&global, &f2]),
        ("F%201%2B%26", vec![&global, &spaced]),
        ("F+1%2B%26", vec![&global, &spaced]),
    ] {
        let list = list_equals(&client, &format!("?accountId={account}")).await;
        assert_eq!(
            row_ids(&list).iter().collect::<Vec<_>>(),
            wanted,
            "{account}"
        );
        assert_eq!(list["count"], 2);
    }
    for account in [
        "F3",
        "f1",
        "F",
        "%25",
        "F%25",
        "F_",
        "*",
        "null",
        "'%20OR%201=1--",
        "F1%20",
        "%20F1",
    ] {
        assert_eq!(
            row_ids(&list_equals(&client, &format!("?accountId={account}")).await),
            std::slice::from_ref(&global),
            "{account}"
        );
    }
    for account in [
        String::new(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "F".repeat(37),
        "F".repeat(8_000),
    ] {
        let answer = expect_one_of(
            client
                .get(&format!("/v2/webhooks?accountId={account}"))
                .await,
            &[200, 400],
        );
        if answer.status == 400 {
            assert_equals_error(answer, 400, &["accountId"]);
        }
    }
}

/// E-12, E-6: the list has no rows of another product, with an account of the same name neither.
#[actix_web::test]
async fn the_list_has_no_foreign_webhooks() {
    let app = TestApp::start().await;
    let (client, other) = (app.equals(), app.equals_other().await);
    let mine = [
        create_one(&client, "BoxCredited", Some("F1"), true).await,
        create_one(&client, "BoxCredited", None, true).await,
    ];
    assert_eq!(
        list_equals(&other, "").await,
        json!({ "count": 0, "limit": 100, "offset": 0, "rows": [] })
    );
    let theirs = create_one(&other, "BoxCredited", Some("F1"), true).await;
    for query in [
        "",
        "?accountId=F1",
        "?productId=911db6db-ef58-4992-87cd-2fe2cfde05f9",
        "?webhookEventTypeName=BoxCredited",
    ] {
        assert_eq!(row_ids(&list_equals(&client, query).await), mine, "{query}");
        assert_eq!(
            row_ids(&list_equals(&other, query).await),
            std::slice::from_ref(&theirs),
            "{query}"
        );
    }
}

/// E-13: every fault of the query is named at once.
#[actix_web::test]
async fn every_fault_of_the_query_is_named() {
    let app = TestApp::start().await;
    let answer = app.equals().get("/v2/webhooks?limit=0&offset=-1&enabled=maybe&webhookEventTypeId=x&webhookEventTypeName=Nope").await;
    assert_equals_error(
        answer,
        400,
        &["limit", "offset", "enabled", "webhookEventTypeId"],
    );
    let answer = app.equals().get("/v2/webhooks?offset=&limit=1001").await;
    assert_equals_error(answer, 400, &["limit", "offset"]);
}

/// E-13: a parameter given twice is refused, even with the same value.
#[actix_web::test]
async fn a_repeated_parameter_is_refused() {
    let app = TestApp::start().await;
    for (name, first, second) in [
        ("limit", "1", "2"),
        ("limit", "1", "1"),
        ("offset", "0", "1"),
        ("enabled", "true", "false"),
        ("enabled", "true", "true"),
        ("accountId", "F1", "F2"),
        ("webhookEventTypeId", BOX_CREDITED, BOX_DEBITED),
        ("webhookEventTypeName", "BoxCredited", "BoxDebited"),
    ] {
        let answer = app
            .equals()
            .get(&format!("/v2/webhooks?{name}={first}&{name}={second}"))
            .await;
        assert_equals_error(answer, 400, &[name]);
    }
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    let answer = app
        .equals()
        .get(&format!("/v2/webhooks/{id}?accountId=F1&accountId=F2"))
        .await;
    assert_equals_error(answer, 400, &["accountId"]);
}

/// E-38: unknown query parameters are ignored, repeated and strange ones too.
#[actix_web::test]
async fn unknown_parameters_are_ignored() {
    let app = TestApp::start().await;
    let client = app.equals();
    let id = id_of(&create_equals(&client, equals_body()).await);
    let (list, read) = (
        list_equals(&client, "").await,
        read_equals(&client, &id).await,
    );
    for query in [
        "?",
        "?&",
        "?&&",
        "?=",
        "?=x",
        "?x",
        "?x=1",
        "?x=1&x=2",
        "?%00=1",
        "?%ff=%fe",
        "?a[b]=c",
        "?Limit=0",
        "?LIMIT=x",
        "?limit[]=0",
        "?page[size]=0",
        "?__proto__=1",
        "?x='%20OR%201=1--",
        "?sort=-createdAt",
    ] {
        assert_eq!(list_equals(&client, query).await, list, "{query}");
        assert_eq!(
            expect(client.get(&format!("/v2/webhooks/{id}{query}")).await, 200).json(),
            read,
            "{query}"
        );
    }
    sound(
        client
            .get(&format!("/v2/webhooks?x={}", "y".repeat(50_000)))
            .await,
    );
    sound(
        client
            .get(&format!("/v2/webhooks?{}", "x&".repeat(20_000)))
            .await,
    );
}

/// E-38: on a GET by id the parameters of the list are unknown.
#[actix_web::test]
async fn get_ignores_the_parameters_of_the_list() {
    let app = TestApp::start().await;
    let id = id_of(&create_equals(&app.equals(), equals_body()).await);
    for query in [
        "?limit=0",
        "?offset=-1",
        "?enabled=maybe",
        "?webhookEventTypeId=x",
        "?limit=1&limit=2",
    ] {
        expect(
            app.equals().get(&format!("/v2/webhooks/{id}{query}")).await,
            200,
        );
    }
}

/// E-34, E-36: a restart keeps everything: members, times, secrets and order.
#[actix_web::test]
async fn a_restart_keeps_every_webhook() {
    let app = TestApp::start().await;
    create_many(&app.equals(), 10).await;
    let full = create_equals(&app.equals(), equals_full_body()).await;
    let body =
        json!({ "enabled": false, "sharedSecret": "\u{1f600}", "authorizationHeader": "Basic x" });
    let changed = expect(
        app.equals()
            .patch(&format!("/v2/webhooks/{}", id_of(&full)), body)
            .await,
        200,
    )
    .json();
    let deleted = id_of(&create_equals(&app.equals(), equals_body()).await);
    expect(
        app.equals()
            .delete(&format!("/v2/webhooks/{deleted}"))
            .await,
        204,
    );
    let before = list_equals(&app.equals(), "").await;

    let app = app.restart().await;
    assert_eq!(list_equals(&app.equals(), "").await, before);
    let read = read_equals(&app.equals(), &id_of(&full)).await;
    assert_eq!(without(&read, "updatedAt"), without(&changed, "updatedAt"));
    assert_equals_error(
        app.equals().get(&format!("/v2/webhooks/{deleted}")).await,
        404,
        &[],
    );
    let new = id_of(&create_equals(&app.equals(), equals_body()).await);
    assert_eq!(
        row_ids(&list_equals(&app.equals(), "").await).last(),
        Some(&new)
    );
}
