//! Tests of `GET /conduit/webhooks/{id}` and of the list with its pages.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::app::{CONDUIT_CLIENT, Client, TestApp};
use super::shape::{
    assert_conduit_invalid_query, assert_conduit_not_found, assert_conduit_webhook, assert_members,
    assert_own, conduit_body, conduit_body_to, conduit_ids, create_conduit, encode, expect,
    expect_one_of, id_of, read_conduit, sound, with, without,
};

/// Creates this many webhooks one after the other and returns their ids.
async fn create_many(client: &Client, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(id_of(
            &create_conduit(
                client,
                conduit_body_to(&format!("https://example.com/{number}")),
            )
            .await,
        ));
    }
    ids
}

/// One page: its ids and the cursor of the next one.
async fn page(client: &Client, query: &str) -> (Vec<String>, Option<String>) {
    let answer = expect(client.get(&format!("/webhooks{query}")).await, 200);
    let page = answer.json();
    assert_members(&page, &["data", "pagination"]);
    assert_members(&page["pagination"], &["next"]);
    let ids = page["data"].as_array().unwrap().iter().map(|webhook| {
        assert_conduit_webhook(webhook, false);
        id_of(webhook)
    });
    let next = match &page["pagination"]["next"] {
        Value::Null => None,
        Value::String(cursor) if !cursor.is_empty() => Some(cursor.clone()),
        other => panic!("not a cursor: {other}"),
    };
    (ids.collect(), next)
}

/// The page of this size after the cursor.
async fn page_after(client: &Client, size: usize, cursor: &str) -> (Vec<String>, Option<String>) {
    page(
        client,
        &format!("?page[size]={size}&page[after]={}", encode(cursor)),
    )
    .await
}

/// All pages of this size.
async fn walk(client: &Client, size: usize) -> Vec<Vec<String>> {
    let (ids, mut next) = page(client, &format!("?page[size]={size}")).await;
    let mut pages = vec![ids];
    while let Some(cursor) = next {
        let (ids, following) = page_after(client, size, &cursor).await;
        pages.push(ids);
        assert!(pages.len() < 1_000, "the pages do not end");
        next = following;
    }
    pages
}

/// C-9, C-11: GET by id shows every member, the secret included, and the same each time.
#[actix_web::test]
async fn get_shows_the_webhook_with_its_secret() {
    let app = TestApp::start().await;
    let body = json!({ "url": "https://example.com/a?b=c", "events": ["customer.created", "customer.active"], "status": "disabled" });
    let created = create_conduit(&app.conduit(), body).await;
    let read = read_conduit(&app.conduit(), &id_of(&created)).await;
    assert_own(&read);
    assert_eq!(without(&read, "secret"), created);
    assert_eq!(read_conduit(&app.conduit(), &id_of(&created)).await, read);
}

/// C-18: an id that is malformed, unknown or deleted answers 404.
#[actix_web::test]
async fn get_of_an_id_that_is_not_there_answers_404() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let deleted = id_of(&create_conduit(&client, conduit_body()).await);
    expect(client.delete(&format!("/webhooks/{deleted}")).await, 204);
    let swapped: String = id[4..]
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    for path in hostile_ids(&id, &deleted, &format!("whk_{swapped}")) {
        assert_conduit_not_found(client.get(&format!("/webhooks/{path}")).await);
    }
    read_conduit(&client, &id).await;
}

/// Ids, percent-encoded for a path, that name no webhook although some come close to `id`.
fn hostile_ids(id: &str, deleted: &str, swapped: &str) -> Vec<String> {
    let mut ids: Vec<String> = [
        deleted,
        swapped,
        "whk_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "whk_",
        "whk",
        "whk_short",
        "whk_2ofTA13AD0xBtbEvBl20aEb1hE!",
        "whk_zzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "2ofTA13AD0xBtbEvBl20aEb1hEu",
        "client_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "123e4567-e89b-12d3-a456-426614174000",
        "event-types",
        "null",
        "undefined",
        "0",
        "-1",
        "*",
        "%",
        "_",
        " ",
        "{id}",
        "' OR '1'='1",
        "x'; DROP TABLE webhooks; --",
        "\u{0}",
        "\n",
        "\u{1f600}",
        "\u{202e}",
        "<script>",
    ]
    .map(encode)
    .into();
    ids.extend([
        encode(&format!("{id}\u{0}")),
        encode(&format!("{id} ")),
        encode(&format!(" {id}")),
        encode(&format!("{id}\n")),
        encode(&format!("{id}'")),
        encode(&format!("{id}0")),
        encode(&id[..id.len() - 1]),
        encode(&id.replacen("whk_", "WHK_", 1)),
        encode(&id.replacen("whk_", "whk%", 1)),
        "%ff%fe".to_owned(),
        format!("{id}%ff"),
        "a".repeat(4_000),
        format!("whk_{}", "0".repeat(4_000)),
        "%00".repeat(1_000),
    ]);
    ids
}

/// C-18: slashes and dots in an id, however written, lead to no webhook and to no 5xx.
#[actix_web::test]
async fn get_of_an_id_with_slashes_answers_404() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    for path in [
        "%2F".to_owned(),
        format!("{id}%2F"),
        format!("%2F{id}"),
        format!("x%2F{id}"),
        "..%2F..%2Fetc%2Fpasswd".to_owned(),
        "%5C..%5C..%5Cwindows".to_owned(),
        "a%2Fb".to_owned(),
    ] {
        assert_eq!(
            sound(client.get(&format!("/webhooks/{path}")).await).status,
            404,
            "{path}"
        );
    }
    sound(
        client
            .get(&format!("/webhooks/{}", "a".repeat(60_000)))
            .await,
    );
}

/// C-18: an id with needless percent-encoding is the same id (RFC 3986, 2.3).
#[actix_web::test]
async fn an_encoded_id_is_the_same_id() {
    let app = TestApp::start().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(id_of(&read_conduit(&app.conduit(), &encoded).await), id);
}

/// C-18: another client's webhook is not there, and answers like an unknown id.
#[actix_web::test]
async fn a_foreign_webhook_is_not_found() {
    let app = TestApp::start().await;
    let other = app.conduit_other().await;
    let id = id_of(&create_conduit(&app.conduit(), conduit_body()).await);
    let unknown = "whk_2ofTA13AD0xBtbEvBl20aEb1hEu";
    let foreign = assert_conduit_not_found(other.get(&format!("/webhooks/{id}")).await);
    let missing = assert_conduit_not_found(other.get(&format!("/webhooks/{unknown}")).await);
    assert_eq!(
        foreign.text().replace(&id, ""),
        missing.text().replace(unknown, "")
    );
    read_conduit(&app.conduit(), &id).await;
}

/// C-12: the list of a client without webhooks.
#[actix_web::test]
async fn the_empty_list_has_no_next_page() {
    let app = TestApp::start().await;
    let answer = expect(app.conduit().get("/webhooks").await, 200);
    assert_eq!(
        answer.json(),
        json!({ "data": [], "pagination": { "next": null } })
    );
}

/// C-12, C-9, C-11: the rows are the created webhooks without their secrets.
#[actix_web::test]
async fn the_list_has_every_webhook_without_its_secret() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let mut created = Vec::new();
    let mut secrets = Vec::new();
    for (url, status) in [
        ("https://example.com/a", "enabled"),
        ("https://example.com/b", "disabled"),
        ("http://example.com/c", "enabled"),
    ] {
        let webhook = create_conduit(&client, with(&conduit_body_to(url), "status", status)).await;
        secrets.push(
            read_conduit(&client, &id_of(&webhook)).await["secret"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        created.push(webhook);
    }
    let answer = expect(client.get("/webhooks").await, 200);
    assert!(secrets.iter().all(|secret| !answer.text().contains(secret)));
    let list = answer.json();
    assert_eq!(list["pagination"], json!({ "next": null }));
    let rows = list["data"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for webhook in created {
        assert!(rows.contains(&webhook), "{list}");
    }
}

/// C-14: the list is ordered by creation.
#[actix_web::test]
async fn the_list_is_in_order_of_creation() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 20).await;
    assert_eq!(conduit_ids(&app.conduit()).await, ids);
}

/// C-14, C-15: a change does not move a webhook within the list.
#[actix_web::test]
async fn a_change_keeps_the_order() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let ids = create_many(&client, 5).await;
    for id in [&ids[2], &ids[0], &ids[4]] {
        expect(
            client
                .patch(&format!("/webhooks/{id}"), json!({ "status": "disabled" }))
                .await,
            200,
        );
    }
    assert_eq!(conduit_ids(&client).await, ids);
}

/// C-14: the list has the caller's own webhooks only.
#[actix_web::test]
async fn the_list_has_no_foreign_webhooks() {
    let app = TestApp::start().await;
    let other = app.conduit_other().await;
    let mine = create_many(&app.conduit(), 3).await;
    assert!(conduit_ids(&other).await.is_empty());
    let theirs = create_many(&other, 4).await;
    assert_eq!(conduit_ids(&app.conduit()).await, mine);
    assert_eq!(conduit_ids(&other).await, theirs);
    for query in [
        format!("?organizationId={CONDUIT_CLIENT}"),
        format!("?clientId={CONDUIT_CLIENT}"),
        format!("?page[after]={}", mine[0]),
    ] {
        let answer = expect_one_of(other.get(&format!("/webhooks{query}")).await, &[200, 400]);
        assert!(
            mine.iter().skip(1).all(|id| !answer.text().contains(id)),
            "{}",
            answer.text()
        );
    }
}

/// C-13: 20 webhooks in pages of 7 come each exactly once, in order.
#[actix_web::test]
async fn pages_of_seven_show_each_of_twenty_webhooks_once() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 20).await;
    let pages = walk(&app.conduit(), 7).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 6]);
    assert_eq!(pages.concat(), ids);
}

/// C-13, C-14: whatever the size of the pages, together they are the list.
#[actix_web::test]
async fn pages_of_any_size_are_the_list() {
    let app = TestApp::start().await;
    create_many(&app.conduit(), 12).await;
    let all = conduit_ids(&app.conduit()).await;
    for size in [1, 2, 3, 4, 5, 6, 11, 12, 13, 100] {
        let pages = walk(&app.conduit(), size).await;
        assert_eq!(pages.concat(), all, "pages of {size}");
        let (last, full) = pages.split_last().unwrap();
        assert!(
            full.iter().all(|page| page.len() == size) && last.len() <= size,
            "pages of {size}"
        );
    }
}

/// C-13: the default size is 20.
#[actix_web::test]
async fn a_page_has_twenty_webhooks_by_default() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 21).await;
    let (first, next) = page(&app.conduit(), "").await;
    assert_eq!(first, ids[..20]);
    let (second, end) = page(
        &app.conduit(),
        &format!("?page[after]={}", encode(&next.unwrap())),
    )
    .await;
    assert_eq!(second, ids[20..]);
    assert_eq!(end, None);
}

/// C-13: 1 and 100 are the bounds of the size, and 100 is really given.
#[actix_web::test]
async fn a_page_has_at_most_a_hundred_webhooks() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 101).await;
    let (first, next) = page(&app.conduit(), "?page[size]=100").await;
    assert_eq!(first, ids[..100]);
    let (second, end) = page_after(&app.conduit(), 1, &next.unwrap()).await;
    assert_eq!(second, ids[100..]);
    assert_eq!(end, None);
    assert_eq!(page(&app.conduit(), "?page[size]=1").await.0, ids[..1]);
}

/// C-13: brackets may be percent-encoded, in either case.
#[actix_web::test]
async fn encoded_brackets_are_brackets() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 5).await;
    for name in [
        "page[size]",
        "page%5Bsize%5D",
        "page%5bsize%5d",
        "page%5Bsize]",
        "p%61ge[size]",
    ] {
        let (first, next) = page(&app.conduit(), &format!("?{name}=2")).await;
        assert_eq!(first, ids[..2], "{name}");
        let after = name.replace("size", "after");
        let (second, _) = page(
            &app.conduit(),
            &format!("?{after}={}&{name}=2", encode(&next.unwrap())),
        )
        .await;
        assert_eq!(second, ids[2..4], "{name}");
    }
}

/// C-13: the size may change from page to page.
#[actix_web::test]
async fn a_cursor_goes_with_any_size() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 10).await;
    let (first, next) = page(&app.conduit(), "?page[size]=3").await;
    assert_eq!(first, ids[..3]);
    let cursor = next.unwrap();
    for size in [1, 4, 7, 50] {
        let (second, _) = page_after(&app.conduit(), size, &cursor).await;
        assert_eq!(second, ids[3..(3 + size).min(10)]);
    }
}

/// C-13: after the row that a cursor points at is deleted, or its neighbour, paging goes on where it was.
#[actix_web::test]
async fn paging_survives_the_deletion_of_the_cursors_row() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let ids = create_many(&client, 9).await;
    let (first, next) = page(&client, "?page[size]=3").await;
    assert_eq!(first, ids[..3]);
    let cursor = next.unwrap();

    expect(client.delete(&format!("/webhooks/{}", ids[2])).await, 204);
    assert_eq!(page_after(&client, 3, &cursor).await.0, ids[3..6]);
    expect(client.delete(&format!("/webhooks/{}", ids[3])).await, 204);
    let (second, next) = page_after(&client, 3, &cursor).await;
    assert_eq!(second, ids[4..7]);
    for id in &ids[4..9] {
        expect(client.delete(&format!("/webhooks/{id}")).await, 204);
    }
    assert_eq!(
        page_after(&client, 3, &next.unwrap()).await,
        (Vec::new(), None)
    );
    assert_eq!(page_after(&client, 3, &cursor).await, (Vec::new(), None));
}

/// C-14: what is created while somebody pages comes at the end.
#[actix_web::test]
async fn new_webhooks_come_after_the_cursor() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let mut ids = create_many(&client, 5).await;
    let (mut seen, next) = page(&client, "?page[size]=4").await;
    ids.extend(create_many(&client, 2).await);
    seen.extend(page_after(&client, 100, &next.unwrap()).await.0);
    assert_eq!(seen, ids);
}

/// C-13, C-20: a size outside 1..100, or no integer, is refused under the parameter's name.
#[actix_web::test]
async fn a_page_size_out_of_range_is_refused() {
    let app = TestApp::start().await;
    create_many(&app.conduit(), 2).await;
    for size in [
        "0",
        "-1",
        "101",
        "1000",
        "256",
        "257",
        "65537",
        "4294967297",
        "9223372036854775808",
        "18446744073709551617",
        "-9223372036854775809",
        "99999999999999999999999999",
        "1.5",
        "0.5",
        "1e",
        "1e400",
        "abc",
        "",
        "null",
        "true",
        "NaN",
        "0x10",
        "1_0",
        "1,0",
        "5;",
        "[5]",
        "%00",
        "5%00",
        "%205",
        "5%20",
        "%D9%A5",
        "%EF%BC%95",
        "%ff",
        "-",
        "--5",
        "1%20OR%201=1",
    ] {
        assert_conduit_invalid_query(
            app.conduit()
                .get(&format!("/webhooks?page[size]={size}"))
                .await,
            &["page[size]"],
        );
    }
    assert_conduit_invalid_query(
        app.conduit().get("/webhooks?page[size]").await,
        &["page[size]"],
    );
    assert_conduit_invalid_query(
        app.conduit()
            .get(&format!("/webhooks?page[size]={}", "9".repeat(5_000)))
            .await,
        &["page[size]"],
    );
    for size in ["1.0", "1e1", "%2B5", "+5", "007", "-0"] {
        expect_one_of(
            app.conduit()
                .get(&format!("/webhooks?page[size]={size}"))
                .await,
            &[200, 400],
        );
    }
}

/// C-13, C-20: a cursor that the server never gave is refused under the parameter's name.
#[actix_web::test]
async fn an_unusable_cursor_is_refused() {
    let app = TestApp::start().await;
    create_many(&app.conduit(), 2).await;
    let cursors = [
        "",
        " ",
        "garbage",
        "null",
        "0",
        "-1",
        "%",
        "../../etc/passwd",
        "' OR '1'='1",
        "x'; DROP TABLE webhooks; --",
        "\u{0}",
        "\u{1f600}",
        "e30=",
        "eyJpZCI6bnVsbH0",
        "AAAA",
        "////",
        "====",
        "client_2ofTA13AD0xBtbEvBl20aEb1hEu",
        "whk_short",
    ];
    for cursor in cursors.map(encode).into_iter().chain([
        "%ff%fe".to_owned(),
        "A".repeat(6_000),
        "%00".repeat(500),
    ]) {
        assert_conduit_invalid_query(
            app.conduit()
                .get(&format!("/webhooks?page[after]={cursor}"))
                .await,
            &["page[after]"],
        );
    }
    assert_conduit_invalid_query(
        app.conduit().get("/webhooks?page[after]").await,
        &["page[after]"],
    );
}

/// C-13: a cursor that was tampered with gives 400 or a page, never a failure and never another client's rows.
#[actix_web::test]
async fn a_changed_cursor_does_no_harm() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let ids = create_many(&client, 4).await;
    let theirs = create_many(&app.conduit_other().await, 4).await;
    let cursor = page(&client, "?page[size]=2").await.1.unwrap();
    let mut changed: Vec<String> = (0..cursor.len())
        .filter_map(|at| Some(format!("{}{}", cursor.get(..at)?, cursor.get(at + 1..)?)))
        .collect();
    changed.extend(
        (0..cursor.len())
            .filter_map(|at| Some(format!("{}0{}", cursor.get(..at)?, cursor.get(at + 1..)?))),
    );
    changed.extend([
        format!("{cursor}{cursor}"),
        format!("{cursor}="),
        format!(" {cursor}"),
        cursor.to_uppercase(),
        cursor.to_lowercase(),
    ]);
    changed.extend(ids.clone());
    for cursor in changed {
        let answer = expect_one_of(
            client
                .get(&format!("/webhooks?page[after]={}", encode(&cursor)))
                .await,
            &[200, 400],
        );
        if answer.status == 400 {
            assert_conduit_invalid_query(answer, &["page[after]"]);
        } else {
            let shown: HashSet<String> = answer.json()["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(id_of)
                .collect();
            assert!(
                shown
                    .iter()
                    .all(|id| ids.contains(id) && !theirs.contains(id)),
                "{}",
                answer.text()
            );
        }
    }
}

/// C-14: another client's cursor shows none of that client's webhooks.
#[actix_web::test]
async fn a_foreign_cursor_shows_no_foreign_webhooks() {
    let app = TestApp::start().await;
    let other = app.conduit_other().await;
    let mine = create_many(&app.conduit(), 4).await;
    let theirs = create_many(&other, 2).await;
    let cursor = page(&app.conduit(), "?page[size]=1").await.1.unwrap();
    let answer = expect_one_of(
        other
            .get(&format!("/webhooks?page[after]={}", encode(&cursor)))
            .await,
        &[200, 400],
    );
    if answer.status == 200 {
        let shown: Vec<String> = answer.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(id_of)
            .collect();
        assert!(
            shown
                .iter()
                .all(|id| theirs.contains(id) && !mine.contains(id)),
            "{}",
            answer.text()
        );
    }
}

/// C-20: faults of both parameters are named at once.
#[actix_web::test]
async fn every_fault_of_the_query_is_named() {
    let app = TestApp::start().await;
    let answer = app
        .conduit()
        .get("/webhooks?page[size]=0&page[after]=garbage")
        .await;
    assert_conduit_invalid_query(answer, &["page[size]", "page[after]"]);
    let answer = app
        .conduit()
        .get("/webhooks?page[after]=&page[size]=abc")
        .await;
    assert_conduit_invalid_query(answer, &["page[size]", "page[after]"]);
}

/// C-20: a parameter given twice is refused, even with the same value.
#[actix_web::test]
async fn a_repeated_parameter_is_refused() {
    let app = TestApp::start().await;
    create_many(&app.conduit(), 3).await;
    let cursor = encode(&page(&app.conduit(), "?page[size]=1").await.1.unwrap());
    for query in [
        "page[size]=1&page[size]=2",
        "page[size]=1&page[size]=1",
        "page[size]=1&page%5Bsize%5D=1",
    ] {
        assert_conduit_invalid_query(
            app.conduit().get(&format!("/webhooks?{query}")).await,
            &["page[size]"],
        );
    }
    let query = format!("page[after]={cursor}&page[after]={cursor}");
    assert_conduit_invalid_query(
        app.conduit().get(&format!("/webhooks?{query}")).await,
        &["page[after]"],
    );
}

/// C-20: strange queries are answered, and a parameter that is not ours is not a reason for another page.
#[actix_web::test]
async fn hostile_queries_are_survived() {
    let app = TestApp::start().await;
    let ids = create_many(&app.conduit(), 2).await;
    for query in [
        "?",
        "?&",
        "?&&page[size]=5&",
        "?=",
        "?=x",
        "?x",
        "?x=1&x=2",
        "?size=1",
        "?page=1",
        "?limit=1",
        "?page[]=1",
        "?page[size][]=1",
        "?page[SIZE]=1",
        "?page.size=1",
        "?%00=1",
        "?%ff=1",
        "?a[b]=c",
        "?__proto__=1",
        "?x='%20OR%201=1--",
        "?events=customer.active",
    ] {
        let answer = expect_one_of(
            app.conduit().get(&format!("/webhooks{query}")).await,
            &[200, 400],
        );
        if answer.status == 200 {
            let shown: Vec<String> = answer.json()["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(id_of)
                .collect();
            assert_eq!(shown, ids, "{query}");
        }
    }
    sound(
        app.conduit()
            .get(&format!("/webhooks?x={}", "y".repeat(50_000)))
            .await,
    );
    sound(
        app.conduit()
            .get(&format!("/webhooks?{}", "x&".repeat(20_000)))
            .await,
    );
}

/// C-10, C-14: a restart keeps everything, the secrets and the order included.
#[actix_web::test]
async fn a_restart_keeps_every_webhook_and_its_secret() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let ids = create_many(&client, 25).await;
    expect(
        client
            .patch(
                &format!("/webhooks/{}", ids[3]),
                json!({ "status": "disabled", "events": ["customer.active"] }),
            )
            .await,
        200,
    );
    expect(client.delete(&format!("/webhooks/{}", ids[7])).await, 204);
    let mut before = Vec::new();
    for id in conduit_ids(&client).await {
        before.push(read_conduit(&client, &id).await);
    }

    let app = app.restart().await;
    let client = app.conduit();
    assert_eq!(
        conduit_ids(&client).await,
        before.iter().map(id_of).collect::<Vec<_>>()
    );
    for webhook in &before {
        assert_eq!(read_conduit(&client, &id_of(webhook)).await, *webhook);
    }
    assert_conduit_not_found(client.get(&format!("/webhooks/{}", ids[7])).await);
    let new = id_of(&create_conduit(&client, conduit_body()).await);
    assert_eq!(conduit_ids(&client).await.last(), Some(&new));
}

/// C-11: PATCH and the list show no secret, also after a GET has.
#[actix_web::test]
async fn only_get_by_id_shows_the_secret() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let id = id_of(&create_conduit(&client, conduit_body()).await);
    let secret = read_conduit(&client, &id).await["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = expect(client.get("/webhooks").await, 200);
    let patch = expect(
        client
            .patch(&format!("/webhooks/{id}"), json!({ "status": "disabled" }))
            .await,
        200,
    );
    for answer in [list, patch] {
        assert!(
            !answer.text().contains(&secret) && !answer.text().contains("\"secret\""),
            "{}",
            answer.text()
        );
    }
}
